package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// checkArguments makes cmd and all commands below it check their arguments. A group refuses a subcommand that it does
// not have; cobra itself does so only at the root. Every other command takes the arguments that its Use line names. A
// command that parses its flags itself calls takeArguments itself.
func checkArguments(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		checkArguments(sub)
	}
	switch {
	case cmd.HasSubCommands() && !cmd.Runnable():
		cmd.Args = knownCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	case cmd.DisableFlagParsing:
		cmd.Args = cobra.ArbitraryArgs
	default:
		cmd.Args = takeArguments
	}
}

// knownCommand refuses an unknown subcommand of a group, and names the subcommands with a similar spelling.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2 // as cobra does at the root
	var alike []string
	for _, name := range cmd.SuggestionsFor(args[0]) {
		alike = append(alike, fmt.Sprintf("%q", name))
	}
	advice := "see " + cmd.CommandPath() + " --help"
	if len(alike) > 0 {
		advice = "did you mean " + strings.Join(alike, " or ") + "?"
	}
	return fmt.Errorf("unknown command %q for %q: %s", args[0], cmd.CommandPath(), advice)
}

// argument is one word of a command's Use line after its name.
type argument struct {
	name     string
	optional bool
	repeated bool
}

// argumentsOf reads a Use line: NAME is required, [NAME] may be left out, and NAME... may be repeated.
func argumentsOf(cmd *cobra.Command) []argument {
	var arguments []argument
	for _, word := range strings.Fields(cmd.Use)[1:] {
		name, repeated := strings.CutSuffix(word, "...")
		name, optional := strings.CutPrefix(name, "[")
		arguments = append(arguments, argument{strings.TrimSuffix(name, "]"), optional, repeated})
	}
	return arguments
}

// takeArguments checks the arguments of a command against its Use line. The error names missing or extra arguments,
// and never repeats an argument. An empty argument is refused too, because an unset variable of the shell looks like
// that.
func takeArguments(cmd *cobra.Command, args []string) error {
	fault := faultOf(argumentsOf(cmd), args)
	if fault == "" {
		return nil
	}
	name := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	usage := strings.TrimSpace(cmd.CommandPath() + strings.TrimPrefix(cmd.Use, cmd.Name()))
	return errors.New(name + " " + fault + ": " + usage)
}

// emptyOf describes the first argument that is an empty text; "" if there is none.
func emptyOf(wanted []argument, args []string) string {
	for i, a := range wanted[:min(len(wanted), len(args))] {
		switch {
		case args[i] == "" && a.optional:
			return "got an empty " + a.name + ", which can be left out"
		case args[i] == "":
			return "got an empty " + a.name
		}
	}
	return ""
}

// faultOf describes the fault of the arguments; "" if there is none.
func faultOf(wanted []argument, args []string) string {
	if fault := emptyOf(wanted, args); fault != "" {
		return fault
	}
	var missing, all []string
	endless := false
	for i, a := range wanted {
		all = append(all, a.name)
		endless = endless || a.repeated
		if i >= len(args) && !a.optional {
			missing = append(missing, a.name)
		}
	}
	switch {
	case len(missing) == 1:
		return "needs the argument " + missing[0]
	case len(missing) > 1:
		return "needs the arguments " + strings.Join(missing, " and ")
	case len(args) <= len(wanted) || endless:
		return ""
	case len(wanted) == 0:
		return "takes no argument"
	default:
		return "takes nothing after " + strings.Join(all, " ")
	}
}
