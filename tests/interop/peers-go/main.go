// whatsmeow as a program of its own beside posthornd, so that its memory and CPU can be measured:
//
//	peers-go FOLDER SIMULATOR-URL CONTROL-URL ROOT-KEY
//
// It speaks as ../lib/peer.mjs does: {"open":PHONE} when it is in; each line {"send":PHONE,"count":N} or
// {"receive":N} is answered when it is done. whatsmeow is used as it is published: its dialler is given a
// connection to the stand-in in place of TLS to WhatsApp, and its root key is the stand-in's.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"
)

// Nothing is waited for longer than this.
const patience = 5 * time.Minute

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func say(what map[string]any) {
	line, err := json.Marshal(what)
	must(err)
	fmt.Println(string(line))
}

// toStandIn is an HTTP client whose TLS connections are plain ones to the stand-in.
func toStandIn(address string) *http.Client {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "tcp", address)
	}
	return &http.Client{Transport: &http.Transport{DialTLSContext: dial}}
}

func rootKey(text string) []byte {
	key, err := hex.DecodeString(text)
	if err != nil {
		key, err = base64.StdEncoding.DecodeString(text)
	}
	must(err)
	return key
}

type peer struct {
	client              *whatsmeow.Client
	open                chan struct{}
	received, delivered atomic.Int64
}

func (p *peer) hear(event any) {
	switch heard := event.(type) {
	case *events.Connected:
		select {
		case p.open <- struct{}{}:
		default:
		}
	case *events.Message:
		if !heard.Info.IsFromMe {
			p.received.Add(1)
		}
	case *events.Receipt:
		if heard.Type == types.ReceiptTypeDelivered && !heard.IsFromMe {
			p.delivered.Add(int64(len(heard.MessageIDs)))
		}
	}
}

// link shows the code to the stand-in's phone.
func (p *peer) link(control string) {
	codes, err := p.client.GetQRChannel(context.Background())
	must(err)
	must(p.client.Connect())
	code := <-codes
	body, err := json.Marshal(map[string]string{"qr": code.Code})
	must(err)
	answer, err := http.Post(control+"/v1/scan", "application/json", bytes.NewReader(body))
	must(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		must(fmt.Errorf("scan: %s", answer.Status))
	}
}

func wait(what string, done func() bool) {
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			must(fmt.Errorf("%s: not in time", what))
		}
	}
}

func main() {
	folder, standIn, control, key := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	copy(whatsmeow.WACertPubKey[:], rootKey(key))
	where, err := url.Parse(standIn)
	must(err)
	database := "file:" + filepath.Join(folder, "whatsmeow.db") + "?_foreign_keys=on&_journal_mode=WAL"
	ctx := context.Background()
	container, err := sqlstore.New(ctx, "sqlite3", database, nil)
	must(err)
	device, err := container.GetFirstDevice(ctx)
	must(err)
	p := &peer{client: whatsmeow.NewClient(device, nil), open: make(chan struct{}, 1)}
	p.client.SetWebsocketHTTPClient(toStandIn(where.Host))
	p.client.SetPreLoginHTTPClient(toStandIn(where.Host))
	p.client.AddEventHandler(p.hear)
	if device.ID == nil {
		p.link(control)
		// It comes back by itself, linked.
		wait("linked", func() bool { return p.client.Store.ID != nil && p.client.IsLoggedIn() })
	} else {
		must(p.client.Connect())
	}
	select {
	case <-p.open:
	case <-time.After(patience):
		must(fmt.Errorf("not in"))
	}
	say(map[string]any{"open": p.client.Store.ID.User})
	p.work()
}

type order struct {
	Send    string
	Count   int64
	Receive int64
}

func (p *peer) work() {
	var sent, received int64
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var o order
		must(json.Unmarshal(lines.Bytes(), &o))
		if o.Send == "" {
			received += o.Receive
			wait("received", func() bool { return p.received.Load() >= received })
			say(map[string]any{"received": o.Receive})
			continue
		}
		to := types.NewJID(o.Send, types.DefaultUserServer)
		for i := int64(0); i < o.Count; i++ {
			text := fmt.Sprintf("receipt %d", sent+i)
			_, err := p.client.SendMessage(context.Background(), to, &waE2E.Message{Conversation: proto.String(text)})
			must(err)
		}
		sent += o.Count
		wait("delivered", func() bool { return p.delivered.Load() >= sent })
		say(map[string]any{"sent": o.Count})
	}
}
