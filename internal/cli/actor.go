package cli

import (
	"context"
	"os/user"

	"novamind/internal/audit"
)

// acting returns a context in which a job of the program acts, on behalf of whoever started it.
func acting(ctx context.Context, job string) context.Context {
	ctx = audit.System(ctx, job)
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return ctx
	}
	if who, err := user.Current(); err == nil {
		actor.OnBehalfOf = who.Username
	}
	return audit.WithActor(ctx, actor)
}
