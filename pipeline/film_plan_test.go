package pipeline_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/pipeline"
)

// brokenOff is a film whose work was broken off while it was rendered, with what lies in its scratch folder then.
func brokenOff(t *testing.T, orders ...pipeline.Order) (pipeline.Asset, *reel) {
	t.Helper()
	r := &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg"), fail: "render", err: errStop}
	asset := scratchAsset(t)
	if _, err := filmLine(r).Film(t.Context(), asset, orders); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.render.Folder, "segment"), []byte("finished"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.fail, r.calls = "", nil
	return asset, r
}

func TestAFilmGoesOnWhereItWas(t *testing.T) {
	order := newOrder(t, nil)
	asset, r := brokenOff(t, order)
	before := r.render
	results, err := filmLine(r).Film(t.Context(), asset, []pipeline.Order{order})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"render", "screen"}; !slices.Equal(r.calls, want) {
		t.Errorf("calls %v, want %v", r.calls, want)
	}
	if _, err := os.Stat(filepath.Join(r.render.Folder, "segment")); err != nil || r.render.Folder != before.Folder {
		t.Errorf("a finished segment is not found again: %v", err)
	}
	if results[0].Outcome != pipeline.Released || results[0].Tracks[0].Outcome != consent.Obscure || results[0].Tracks[0].Match.Subject != "4021" {
		t.Errorf("%+v", results[0])
	}
	if len(r.render.Covers) != 1 || r.render.Covers[0].Track != 1 || len(r.render.Times) != filmFrames {
		t.Errorf("%+v", r.render.Covers)
	}
	checkSeal(t, results[0], order)
}

// A plan that is not exactly the one for this film and these orders counts for nothing, and neither does what was made by it.
func TestAPlanThatIsNotValidIsIgnored(t *testing.T) {
	order := newOrder(t, nil)
	other := newOrder(t, func(o *pipeline.Order) { o.Mode = pipeline.Cleared })
	for name, test := range map[string]struct {
		spoil  func(data []byte) []byte
		orders []pipeline.Order
		change func(*pipeline.Asset, *pipeline.Line)
	}{
		"cut short":           {func(d []byte) []byte { return d[:len(d)/2] }, nil, nil},
		"empty":               {func([]byte) []byte { return nil }, nil, nil},
		"altered":             {func(d []byte) []byte { d[len(d)-200] ^= 1; return d }, nil, nil},
		"not signed":          {func(d []byte) []byte { clear(d[:ed25519.SignatureSize]); return d }, nil, nil},
		"something else":      {func([]byte) []byte { return make([]byte, 500) }, nil, nil},
		"other order":         {nil, []pipeline.Order{other}, nil},
		"one order more":      {nil, []pipeline.Order{order, other}, nil},
		"signed by another":   {nil, nil, func(_ *pipeline.Asset, l *pipeline.Line) { l.Key = ed25519.NewKeyFromSeed(make([]byte, 32)) }},
		"of another film":     {nil, nil, func(a *pipeline.Asset, _ *pipeline.Line) { a.Digest = a.Digest[2:] + "01" }},
		"no plan, but signed": {func([]byte) []byte { return resigned("[]") }, nil, nil},
		"verdict is missing": {func(d []byte) []byte {
			return resigned(strings.Replace(string(d[ed25519.SignatureSize:]), `{"id":1,"first_frame"`, `{"id":9,"first_frame"`, 1))
		}, nil, nil},
		"what cannot be": {func(d []byte) []byte {
			return resigned(strings.Replace(string(d[ed25519.SignatureSize:]), `"shots":[0,`, `"shots":[7,`, 1))
		}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			asset, r := brokenOff(t, order)
			segment := filepath.Join(r.render.Folder, "segment")
			path := filepath.Join(asset.Folder, "plan")
			if test.spoil != nil {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, test.spoil(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			orders, line := []pipeline.Order{order}, filmLine(r)
			if test.orders != nil {
				orders = test.orders
			}
			if test.change != nil {
				test.change(&asset, line)
			}
			if _, err := line.Film(t.Context(), asset, orders); err != nil {
				t.Fatal(err)
			}
			if r.calls[0] != "watch" {
				t.Errorf("calls %v: not watched again", r.calls)
			}
			if _, err := os.Stat(segment); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("what was made by another plan is still there: %v", err)
			}
			if _, err := os.Stat(asset.Path); err != nil {
				t.Errorf("the original: %v", err)
			}
		})
	}
}

// resigned is a plan that our own key has signed, and that is not right.
func resigned(body string) []byte {
	digest := sha256.Sum256([]byte(body))
	return append(ed25519.Sign(key(), append([]byte("consentry film plan v1\n"), digest[:]...)), body...)
}

// Nothing of a film that cannot be read into the scratch folder is worked on.
func TestFilmWithoutAScratchFolder(t *testing.T) {
	r := &reel{watched: footageOf(cast()...)}
	asset := scratchAsset(t)
	asset.Folder = filepath.Join(asset.Folder, "missing")
	if results, err := filmLine(r).Film(t.Context(), asset, []pipeline.Order{newOrder(t, nil)}); err == nil || results != nil {
		t.Errorf("%v, %d results", err, len(results))
	}
}
