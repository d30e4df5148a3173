package scratch

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the system user that PostgreSQL runs as. It is the caller, unless the caller is root, which PostgreSQL
// refuses.
type account struct{ credential *syscall.Credential }

// unprivileged returns the caller's own account. For root, it returns the account of postgres, or else of nobody.
func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		return account{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, errors.Join(uidErr, gidErr)
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody: start it as another user")
}

// own makes the account the owner of the folder.
func (a account) own(dir string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(dir, int(a.credential.Uid), int(a.credential.Gid))
}

// attributes returns the attributes that start a process as the account, in a session of its own, so that Ctrl-C
// does not reach it.
func (a account) attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential, Setsid: true}
}
