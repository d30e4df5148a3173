package scale

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/handler"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/models"
	"novamind/service"
)

const password = "a long passphrase"

// serve answers the clinic's API. It returns the address, and the token of an account with every permission.
func (c *clinic) serve(tb testing.TB) (address, token string) {
	tb.Helper()
	c.cfg.Auth.Argon2 = config.Argon2{MemoryKiB: 7168, Passes: 1, Lanes: 1}
	auth, err := service.NewAuthService(c.store, c.cfg.Auth)
	require.NoError(tb, err)
	_, err = auth.EnsureAccount(audit.System(tb.Context(), "scale"), "all@example.org", password, nil)
	require.NoError(tb, err)
	engine, err := handler.NewAPI(handler.Services{Auth: auth, Patients: c.patients, AuditLogs: service.NewAuditLogService(c.store), Refusals: service.NewRefusalService(c.store)},
		c.cfg, c.store.CursorKey(), slog.New(slog.DiscardHandler))
	require.NoError(tb, err)
	server := httptest.NewServer(engine)
	tb.Cleanup(server.Close)
	visitor := &client{address: server.URL + "/api/v1"}
	var session struct{ Token string }
	require.NoError(tb, visitor.do(tb.Context(), "POST", "/auth/login", "", `{"email":"all@example.org","password":"`+password+`"}`, &session))
	return server.URL + "/api/v1", session.Token
}

// client reads, searches and changes patients over HTTP. No other client changes its patients, so it knows their last
// written values.
type client struct {
	address, token string
	random         *rand.Rand
	own            []*known
	changed        map[string]*known
	did            int
}

// known is a patient as the server last acknowledged it.
type known struct {
	ID       string
	Version  int64
	LastName string `json:"last_name"`
	Address  *models.Address
}

// newClients divides patients among n clients.
func newClients(n int, address, token string, all []*models.Patient) []*client {
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = &client{address: address, token: token, random: rand.New(rand.NewPCG(seed, uint64(i))), changed: map[string]*known{}}
	}
	if n == 0 {
		return nil
	}
	for i, p := range all {
		own := &known{p.ID.String(), p.Version, p.LastName.Plain(), p.Address.Optional()}
		clients[i%n].own = append(clients[i%n].own, own)
	}
	return clients
}

// work continues until ctx is done, or a request fails.
func (c *client) work(ctx context.Context) error {
	for ctx.Err() == nil {
		p := c.own[c.random.IntN(len(c.own))]
		var err error
		switch c.random.IntN(3) {
		case 0:
			err = c.compare(context.WithoutCancel(ctx), p)
		case 1:
			err = c.find(context.WithoutCancel(ctx), p)
		default:
			err = c.change(context.WithoutCancel(ctx), p)
		}
		if err != nil {
			return err
		}
		c.did++
	}
	return nil
}

// compare reads a patient, and returns an error unless it is as the client left it.
func (c *client) compare(ctx context.Context, p *known) error {
	var now known
	if err := c.do(ctx, "GET", "/patients/"+p.ID, "", "", &now); err != nil {
		return err
	}
	if fmt.Sprint(now.Version, now.LastName, optional(now.Address)) != fmt.Sprint(p.Version, p.LastName, optional(p.Address)) {
		return fmt.Errorf("patient %s has lost a change: version %d instead of %d", p.ID, now.Version, p.Version)
	}
	return nil
}

func optional(a *models.Address) models.Address {
	if a == nil {
		return models.Address{}
	}
	return *a
}

// find searches by the beginning of a patient's last name. At least one patient must match, even if others were
// renamed.
func (c *client) find(ctx context.Context, p *known) error {
	var page struct{ Items []known }
	if err := c.do(ctx, "GET", "/patients?q="+url.QueryEscape(p.LastName[:3]), "", "", &page); err != nil {
		return err
	}
	if len(page.Items) == 0 {
		return fmt.Errorf("patient %s is not found", p.ID)
	}
	return nil
}

// change gives a patient another address, and sometimes another last name.
func (c *client) change(ctx context.Context, p *known) error {
	member := fmt.Sprintf(`"address":{"street":"%d Example Street","city":"Changed","state":"NY","zip_code":"10001"}`, c.random.IntN(1e9))
	if c.random.IntN(4) == 0 {
		member = fmt.Sprintf(`"last_name":%q`, title(surnames().draw(c.random)))
	}
	c.changed[p.ID] = p
	return c.do(ctx, "PATCH", "/patients/"+p.ID, fmt.Sprintf(`"%d"`, p.Version), "{"+member+"}", p)
}

// do sends a request, and returns an error for every answer except success.
func (c *client) do(ctx context.Context, method, path, version, body string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.address+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + c.token, "If-Match": version} {
		if value != "" && value != "Bearer " {
			request.Header.Set(name, value)
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	return json.Unmarshal(text, into)
}
