package webhook

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for _, ip := range []string{"1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"} {
		require.True(t, public(netip.MustParseAddr(ip)), ip)
	}
	for _, ip := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
		"100.64.0.1", "100.100.100.200", "192.0.0.170", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
		"ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2001::1", "2002:7f00:1::", "2001:db8::1", "fec0::1",
	} {
		require.False(t, public(netip.MustParseAddr(ip)), ip)
	}
}

// No address of this machine is dialled unless private addresses are permitted, in any notation of the address.
func TestPrivateAddressesAreNotDialled(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		hook, err := New("http://"+host+":"+port+"/secret-path", false)
		require.NoError(t, err)
		err = hook.Post(t.Context(), "event")
		require.ErrorIs(t, err, ErrPrivate, host)
		require.NotContains(t, err.Error(), "secret-path")
	}
	require.Zero(t, asked)
	hook, err := New(server.URL, true)
	require.NoError(t, err)
	require.NoError(t, hook.Post(t.Context(), "event"))
	require.Equal(t, 1, asked)
}

func TestPost(t *testing.T) {
	t.Parallel()
	var got string
	var elsewhere int
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.Header.Get("Content-Type") + " " + string(body)
	})
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { elsewhere++ })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	server := httptest.NewServer(mux)
	defer server.Close()
	post := func(path string) error {
		hook, err := New(server.URL+path, true)
		require.NoError(t, err)
		return hook.Post(t.Context(), map[string]int{"a": 1})
	}
	require.NoError(t, post("/ok"))
	require.Equal(t, `POST application/json {"a":1}`, got)
	require.ErrorContains(t, post("/redirect"), "307")
	require.Zero(t, elsewhere, "a redirect is not followed")
	require.ErrorContains(t, post("/broken"), "500")
	server.Close()
	err := post("/ok")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "/ok")
	_, err = New("://", true)
	require.Error(t, err)
}
