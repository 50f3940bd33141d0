package register

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// inHead is the head as stored, to be tampered with.
func inHead(t testing.TB, b *bus.Bus) (headJSON, bus.Record) {
	t.Helper()
	r, err := b.Register().Get(limit(t), headKey)
	ok(t, err)
	var h headJSON
	ok(t, json.Unmarshal(r.Value, &h))
	return h, r
}

func put(t testing.TB, b *bus.Bus, key string, value []byte) {
	t.Helper()
	_, err := b.Register().Put(limit(t), key, value)
	ok(t, err)
}

func putHead(t testing.TB, b *bus.Bus, h headJSON) {
	t.Helper()
	data, err := json.Marshal(h)
	ok(t, err)
	put(t, b, headKey, data)
}

// rewrite replaces a page by other plain bytes, with a head that agrees with them.
func rewrite(t testing.TB, b *bus.Bus, change func(plain []byte) []byte) {
	t.Helper()
	h, _ := inHead(t, b)
	number := pageNumber(pageOf("1003"))
	p := h.Pages[number]
	r, err := b.Register().Get(limit(t), p.Key)
	ok(t, err)
	plain, err := unzip(r.Value)
	ok(t, err)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, err = w.Write(change(plain))
	ok(t, err)
	ok(t, w.Close())
	sum := sha256.Sum256(z.Bytes())
	p.Key, p.SHA256 = p.Key+"x", hex.EncodeToString(sum[:])
	h.Pages[number] = p
	put(t, b, p.Key, z.Bytes())
	putHead(t, b, h)
}

func replace(from, to string) func([]byte) []byte {
	return func(plain []byte) []byte { return bytes.ReplaceAll(plain, []byte(from), []byte(to)) }
}

// TestDamage: whatever is wrong with what is stored, nothing is given, nothing is written, and
// nothing of what is stored is repeated.
func TestDamage(t *testing.T) {
	edit := func(f func(*headJSON)) func(testing.TB, *bus.Bus) {
		return func(t testing.TB, b *bus.Bus) { h, _ := inHead(t, b); f(&h); putHead(t, b, h) }
	}
	page := pageNumber(pageOf("1003"))
	cases := map[string]func(testing.TB, *bus.Bus){
		"head is garbage":     func(t testing.TB, b *bus.Bus) { put(t, b, headKey, []byte("\x00secret")) },
		"head is empty":       func(t testing.TB, b *bus.Bus) { put(t, b, headKey, nil) },
		"head says nothing":   func(t testing.TB, b *bus.Bus) { put(t, b, headKey, []byte(`{}`)) },
		"head goes on":        func(t testing.TB, b *bus.Bus) { _, r := inHead(t, b); put(t, b, headKey, append(r.Value, "{}"...)) },
		"head is newer":       func(t testing.TB, b *bus.Bus) { put(t, b, headKey, []byte(`{"version":2,"sheets":[]}`)) },
		"head names page 100": edit(func(h *headJSON) { h.Pages["100"] = h.Pages[page] }),
		"head without a key":  edit(func(h *headJSON) { h.Pages[page] = ref{Subjects: 1, SHA256: h.Pages[page].SHA256} }),
		"head without digest": edit(func(h *headJSON) { h.Pages[page] = ref{Subjects: 1, Key: h.Pages[page].Key} }),
		"head counts wrong":   edit(func(h *headJSON) { p := h.Pages[page]; p.Subjects++; h.Pages[page] = p }),
		"head counts nobody":  edit(func(h *headJSON) { p := h.Pages[page]; p.Subjects = 0; h.Pages[page] = p }),
		"head was erased":     func(t testing.TB, b *bus.Bus) { ok(t, b.Register().Erase(limit(t), headKey)) },
		"page was erased": func(t testing.TB, b *bus.Bus) {
			h, _ := inHead(t, b)
			ok(t, b.Register().Erase(limit(t), h.Pages[page].Key))
		},
		"page is another":      func(t testing.TB, b *bus.Bus) { h, _ := inHead(t, b); put(t, b, h.Pages[page].Key, []byte("secret")) },
		"page is not this one": func(t testing.TB, b *bus.Bus) { forge(t, b) },
		"page is no gzip":      func(t testing.TB, b *bus.Bus) { damageZip(t, b) },
		"page is newer":        func(t testing.TB, b *bus.Bus) { rewrite(t, b, replace(`"version":1`, `"version":2`)) },
		"page has more fields": func(t testing.TB, b *bus.Bus) { rewrite(t, b, replace(`"version":1`, `"version":1,"secret":1`)) },
		"page of a number":     func(t testing.TB, b *bus.Bus) { rewrite(t, b, replace(`"page":"`+page, `"page":"00`)) },
		"page of another":      func(t testing.TB, b *bus.Bus) { rewrite(t, b, replace(`1003`, `1004`)) },
		"page with a name":     func(t testing.TB, b *bus.Bus) { rewrite(t, b, replace(`2012-03-04`, `secret`)) },
		"page with bad words":  func(t testing.TB, b *bus.Bus) { rewrite(t, b, replace(`"guardian"`, `"secret"`)) },
		"page of a lookalike":  func(t testing.TB, b *bus.Bus) { rewrite(t, b, replace(`"born"`, `"lookalikes":["7007"],"born"`)) },
		"page fills memory": func(t testing.TB, b *bus.Bus) {
			rewrite(t, b, func(plain []byte) []byte { return append(plain, make([]byte, maxPlainBytes)...) })
		},
	}
	for name, damage := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := fresh(t)
			subjects, records := school(5, 2)
			_, _, err := New(b.Register()).Import(limit(t), subjects, records)
			ok(t, err)
			damage(t, b)
			before, err := b.Register().List(limit(t))
			ok(t, err)
			refused(t, b)
			after, err := b.Register().List(limit(t))
			ok(t, err)
			same(t, after, before)
		})
	}
}

func refused(t *testing.T, b *bus.Bus) {
	t.Helper()
	ctx := limit(t)
	set := make(chan error)
	go func() {
		_, err := New(b.Register()).Set(ctx, says("1001", consent.Granted, "2025-01-01"))
		set <- err
	}()
	reg, err := New(b.Register()).Load(ctx)
	changed := <-set
	want := ErrDamaged
	if strings.HasSuffix(t.Name(), "newer") {
		want = ErrVersion
	}
	wantErr(t, err, want)
	wantErr(t, changed, want)
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "form ") {
		t.Errorf("%q repeats what is stored", err)
	}
	if reg != nil {
		t.Error("a damaged register was given")
	}
}

// forge turns every refusal of a page into a grant, without telling the head.
func forge(t testing.TB, b *bus.Bus) {
	t.Helper()
	h, head := inHead(t, b)
	rewrite(t, b, replace(`"refused"`, `"granted"`))
	forged := pageBytes(t, b, "1003")
	put(t, b, h.Pages[pageNumber(pageOf("1003"))].Key, forged)
	put(t, b, headKey, head.Value)
}

func damageZip(t testing.TB, b *bus.Bus) {
	t.Helper()
	h, _ := inHead(t, b)
	for number, p := range h.Pages {
		sum := sha256.Sum256([]byte("secret"))
		p.SHA256 = hex.EncodeToString(sum[:])
		put(t, b, p.Key, []byte("secret"))
		h.Pages[number] = p
	}
	putHead(t, b, h)
}

// A page that is too large is refused before anything is written; the largest that is possible fits.
func TestLargestPage(t *testing.T) {
	ctx, b := limit(t), fresh(t)
	s := New(b.Register())
	reg, _, err := s.Import(ctx, []consent.Subject{{AdmissionNumber: "1001"}}, nil)
	ok(t, err)
	_, _, err = s.Import(ctx, nil, noisy(3000))
	wantErr(t, err, ErrTooLarge)
	stored(t, b, reg)
	reg, _, err = s.Import(ctx, nil, noisy(2500))
	ok(t, err)
	stored(t, b, reg)
	_, err = b.Register().Create(ctx, newKey(7), make([]byte, maxPageBytes))
	ok(t, err)
}

// noisy gives records of one subject that take a quarter of a KiB each, however compressed.
func noisy(n int) []consent.Record {
	noise := rand.NewChaCha8([32]byte{1})
	var records []consent.Record
	for i := range n {
		text := make([]byte, 250)
		_, _ = noise.Read(text) // never fails
		r := says("1001", consent.Refused, fmt.Sprintf("%d-%02d-%02d", 2000+i%100, 1+i/100%12, 1+i/1200))
		r.Evidence = hex.EncodeToString(text)
		records = append(records, r)
	}
	return records
}

// FuzzParse: no bytes panic, and what is taken as a head means the same when written again.
func FuzzParse(f *testing.F) {
	h := head{revision: 3}
	value, r, err := encodePage(pageOf("1001"), []consent.Entry{{Subject: consent.Subject{AdmissionNumber: "1001"}}})
	ok(f, err)
	r.Key = newKey(pageOf("1001"))
	h.pages[pageOf("1001")] = r
	data, err := h.encode()
	ok(f, err)
	f.Add(data)
	plain, err := unzip(value)
	ok(f, err)
	f.Add(plain)
	f.Add(value)
	f.Add([]byte(`{"version":1,"revision":1,"pages":{"zz":{}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := parseHead(data); err == nil {
			again, err := h.encode()
			ok(t, err)
			back, err := parseHead(again)
			ok(t, err)
			if *back != *h {
				t.Error("another head comes back")
			}
		}
		sum := sha256.Sum256(data)
		_, _ = decodePage(1, ref{SHA256: hex.EncodeToString(sum[:]), Subjects: 1}, data)
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, err := w.Write(data)
		ok(t, errors.Join(err, w.Close()))
		sum = sha256.Sum256(z.Bytes())
		want := ref{SHA256: hex.EncodeToString(sum[:]), Subjects: 1}
		entries, err := decodePage(pageOf("1001"), want, z.Bytes())
		if err == nil && (len(entries) != 1 || pageOf(entries[0].Subject.AdmissionNumber) != pageOf("1001")) {
			t.Error("a page of others was taken")
		}
	})
}

// A caller who is told to stop does not wait for the pauses.
func TestLoadStops(t *testing.T) {
	b := fresh(t)
	put(t, b, newKey(3), []byte("x")) // a page without a head
	ctx, cancel := context.WithCancel(limit(t))
	cancel()
	_, err := New(b.Register()).Load(ctx)
	wantErr(t, err, context.Canceled)
}
