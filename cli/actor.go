package cli

import (
	"context"
	"os/user"

	"novamind/internal/audit"
)

// acting returns a context in which a job of the program acts, on behalf of the person that started it.
func acting(ctx context.Context, job string) context.Context {
	ctx = audit.System(ctx, job)
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return ctx
	}
	actor.OnBehalfOf = startedBy()
	return audit.WithActor(ctx, actor)
}

// startedBy returns the operating system's name of the user that started the program, or "".
func startedBy() string {
	who, err := user.Current()
	if err != nil {
		return ""
	}
	return who.Username
}
