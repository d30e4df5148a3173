package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
)

// TestScript runs testdata/script/*.txtar on each engine, every script on a separate database that is empty at its
// start. Besides testscript's commands there are:
//
//	exits STATUS COMMAND…  runs a command and compares its exit status with STATUS;
//	                       novamind's commands except serve run in this process
//	await FILE VAR         waits until a background server prints its address to FILE, and sets VAR to it
//	certify CERT KEY       writes a certificate for 127.0.0.1, which get trusts from then on
//	get STATUS URL         requests URL and compares the answer's status with STATUS
//	tamper TABLE SQL       runs SQL as the database's owner, without the guards of a table
//	[postgres], [sqlite]   only on that engine
//	terminate              sends SIGTERM to all background commands; wait then fails unless they exit with 0
func TestScript(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Abs("testdata/script") // commands change the working directory
	require.NoError(t, err)
	commands := commandLine{variables(t, scripts)}
	for _, engine := range dbtest.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Dir:                 scripts,
				RequireExplicitExec: true,
				Deadline:            time.Now().Add(20 * time.Minute), // of a server that should have refused to start
				Setup: func(env *testscript.Env) error {
					env.Setenv("DATABASE_URL", engine.Empty(t))
					env.Setenv("NOVAMIND_SERVER__ADDR", "127.0.0.1:0")
					return nil
				},
				Condition: func(cond string) (bool, error) { return cond == engine.Name, nil },
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"exits": commands.exits, "await": await, "certify": certify, "get": get, "terminate": terminate,
					"tamper": func(ts *testscript.TestScript, _ bool, args []string) { tamper(t, ts, args) },
				},
			})
		})
	}
}

func (c commandLine) exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var got int
	if args[1] == "novamind" && !slices.Contains(args, "serve") {
		got = c.run(ts, args[2:])
	} else {
		got = status(ts, ts.Exec(args[1], args[2:]...))
	}
	if got != want {
		ts.Fatalf("exit status %d, not %d", got, want)
	}
}

// status returns the exit status that the error of a process stands for.
func status(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

var answersAt = regexp.MustCompile(`(?m)^NovaMind answers at (https?://\S+)\n`)

func await(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(5 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if found := answersAt.FindStringSubmatch(ts.ReadFile(args[0])); found != nil {
			ts.Setenv(args[1], found[1])
			return
		}
	}
	ts.Fatalf("no server came up; it says:\n%s", ts.ReadFile(args[0]))
}

func certify(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	certificate := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, certificate, certificate, &key.PublicKey, key)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	ts.Setenv("TRUSTED", args[0])
}

func get(ts *testscript.TestScript, _ bool, args []string) {
	client := http.Client{Timeout: time.Minute}
	if trusted := ts.Getenv("TRUSTED"); trusted != "" {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(ts.ReadFile(trusted)))
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	}
	response, err := client.Get(args[1])
	ts.Check(err)
	ts.Check(response.Body.Close())
	if got := strconv.Itoa(response.StatusCode); got != args[0] {
		ts.Fatalf("status %s, not %s", got, args[0])
	}
}

func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	}
}

func tamper(t *testing.T, ts *testscript.TestScript, args []string) {
	t.Helper()
	url := ts.Getenv("DATABASE_URL")
	db := dbtest.Open(t, url)
	dbtest.DropTriggers(t, db, args[0])
	ts.Check(db.Exec(args[1]).Error)
}
