package review_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/report"
	"github.com/consentry/consentry/internal/review"
	"github.com/consentry/consentry/pipeline"
)

func at(n int) time.Time { return time.Unix(int64(n), 0).UTC() }

// made is a run that made these places, as purpose/path, of assets that are called like the paths.
func made(out string, finished int, places ...string) review.Run {
	r := review.Run{Out: out, Paths: []string{"/in"}, Command: json.RawMessage(fmt.Sprintf(`{"n":%d}`, finished)), Finished: at(finished)}
	for _, place := range places {
		purpose, path, _ := strings.Cut(place, "/")
		r.Purposes = append(r.Purposes, consent.Purpose(purpose))
		r.Assets = append(r.Assets, review.Asset{Path: path, SHA256: "digest of " + path, Purpose: consent.Purpose(purpose), Place: place})
	}
	return r
}

func remember(t *testing.T, s *review.Store, runs ...review.Run) {
	t.Helper()
	for _, r := range runs {
		if err := s.Remember(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func known(t *testing.T, s *review.Store) review.Known {
	t.Helper()
	k, err := s.Known(t.Context(), "here")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func folders(t *testing.T) (string, string) {
	t.Helper()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, out := range []string{a, b} {
		if err := os.Mkdir(out, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

// A later run takes the place of one that it has overwritten, and of no other.
func TestRunsStandBesideEachOther(t *testing.T) {
	a, b := folders(t)
	web, press := made(a, 1, "website/1", "website/2"), made(a, 2, "press/1", "press/2")
	other := made(b, 3, "website/1")
	again := made(a, 4, "website/1", "website/2")
	part := made(a, 5, "website/1")
	part.Paths = []string{"/in/1"}
	both := made(a, 6, "website/1", "website/2", "press/1", "press/2")
	earlier := made(a, 0, "website/1", "website/2", "press/1", "press/2")
	for name, test := range map[string]struct{ done, want []review.Run }{
		"two purposes, one after the other": {[]review.Run{web, press}, []review.Run{web, press}},
		"two folders":                       {[]review.Run{web, other}, []review.Run{web, other}},
		"the same again":                    {[]review.Run{web, press, again}, []review.Run{press, again}},
		"a part":                            {[]review.Run{web, part}, []review.Run{web, part}},
		"the whole":                         {[]review.Run{web, press, part, both}, []review.Run{both}},
		"one that is done again":            {[]review.Run{press, earlier}, []review.Run{earlier, press}},
	} {
		t.Run(name, func(t *testing.T) {
			s := store(open(t, t.TempDir()))
			remember(t, s, test.done...)
			if diff := cmp.Diff(test.want, known(t, s).Runs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRunsOfFoldersThatAreGoneAreForgotten(t *testing.T) {
	a, b := folders(t)
	s := store(open(t, t.TempDir()))
	remember(t, s, made(a, 1, "website/1"), made(b, 2, "website/1"))
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	got := known(t, s)
	if diff := cmp.Diff([]string{b}, got.Gone); diff != "" || len(got.Runs) != 1 {
		t.Errorf("%+v: %s", got, diff)
	}
	if err := os.Mkdir(b, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := known(t, s); len(got.Runs) != 1 || len(got.Gone) != 0 {
		t.Errorf("not forgotten: %+v", got)
	}
}

// What another machine made is not forgotten because its folder is not on this one.
func TestRunsOfOtherMachines(t *testing.T) {
	s := store(open(t, t.TempDir()))
	there := made("/not/on/this/machine", 1, "website/1")
	there.Host = "there"
	remember(t, s, there)
	for range 2 {
		if got := known(t, s); len(got.Elsewhere) != 1 || len(got.Runs)+len(got.Gone) != 0 {
			t.Fatalf("%+v", got)
		}
	}
}

// One that cannot be read keeps nobody from the others.
func TestDamagedRun(t *testing.T) {
	a, b := folders(t)
	for name, damage := range map[string]func(t *testing.T, runs *bus.Bucket, key string){
		"the head": func(t *testing.T, runs *bus.Bucket, key string) {
			if _, err := runs.Put(t.Context(), key[:64], []byte("{}")); err != nil {
				t.Fatal(err)
			}
		},
		"a part": func(t *testing.T, runs *bus.Bucket, key string) {
			if _, err := runs.Put(t.Context(), key, []byte("{}")); err != nil {
				t.Fatal(err)
			}
		},
		"a part is missing": func(t *testing.T, runs *bus.Bucket, key string) {
			if err := runs.Erase(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bus := open(t, t.TempDir())
			s := store(bus)
			remember(t, s, made(a, 1, "website/1"))
			keys, err := bus.Runs().Keys(t.Context())
			if err != nil || len(keys) != 2 {
				t.Fatalf("%v: %v", keys, err)
			}
			damage(t, bus.Runs(), keys[1])
			remember(t, s, made(b, 2, "website/1"))
			got := known(t, s)
			if len(got.Runs) != 1 || got.Runs[0].Out != b || len(got.Damaged) != 1 || got.Damaged[0].Err == nil {
				t.Fatalf("%+v", got)
			}
			if name != "the head" && got.Damaged[0].Out != a {
				t.Errorf("%+v does not say where it is", got.Damaged[0])
			}
			remember(t, s, made(a, 3, "website/1")) // done again
			if got := known(t, s); len(got.Runs) != 2 || len(got.Damaged) != 0 {
				t.Errorf("after it was done again: %+v", got)
			}
		})
	}
}

// A run of many faces fits, whatever one value may hold; nothing of what it was before stays.
func TestLargeRun(t *testing.T) {
	a, _ := folders(t)
	b := open(t, t.TempDir())
	s := store(b)
	random := rand.New(rand.NewPCG(1, 2))
	large := made(a, 1, "website/1")
	for i := range 4000 {
		asset := review.Asset{Path: fmt.Sprint(i), SHA256: fmt.Sprintf("%064x", random.Uint64()), Purpose: "website", Place: fmt.Sprintf("website/%d", i)}
		for range 6 {
			asset.Faces = append(asset.Faces, report.Face{
				ID:  fmt.Sprintf("%012x", random.Uint64()>>16),
				Box: [4]float64{random.Float64(), random.Float64(), random.Float64(), random.Float64()},
			})
		}
		large.Assets = append(large.Assets, asset)
	}
	remember(t, s, large)
	if diff := cmp.Diff([]review.Run{large}, known(t, s).Runs); diff != "" {
		t.Fatal("not what it was")
	}
	keys, err := b.Runs().Keys(t.Context())
	if err != nil || len(keys) < 3 {
		t.Errorf("%d values, want a head and more than one part: %v", len(keys), err)
	}
	small := made(a, 2, "website/1")
	remember(t, s, small)
	if keys, err = b.Runs().Keys(t.Context()); err != nil || len(keys) != 2 {
		t.Errorf("%d values are left of what it was before: %v", len(keys), err)
	}
}

// So does one asset of many faces or tracks.
func TestLargeAsset(t *testing.T) {
	a, _ := folders(t)
	s := store(open(t, t.TempDir()))
	random := rand.New(rand.NewPCG(1, 2))
	r := made(a, 1, "website/1", "website/2", "website/3")
	for range 20_000 {
		r.Assets[0].Faces = append(r.Assets[0].Faces, report.Face{ID: fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64())})
		r.Assets[1].Tracks = append(r.Assets[1].Tracks, report.Track{Face: fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64())})
	}
	remember(t, s, r)
	if got := known(t, s).Runs; !reflect.DeepEqual([]review.Run{r}, got) {
		t.Errorf("not what it was: %d runs", len(got))
	}
}

func TestRunThatDoesNotFit(t *testing.T) {
	a, _ := folders(t)
	random := rand.New(rand.NewPCG(1, 2))
	r := made(a, 1, "website/1")
	for range 60_000 {
		r.Paths = append(r.Paths, fmt.Sprintf("/%016x%016x", random.Uint64(), random.Uint64()))
	}
	if err := store(open(t, t.TempDir())).Remember(t.Context(), r); !errors.Is(err, review.ErrTooLarge) {
		t.Errorf("%v, want %v", err, review.ErrTooLarge)
	}
	long := made(a, 1, "website/1")
	var reason strings.Builder
	for range 120_000 {
		fmt.Fprintf(&reason, "%016x", random.Uint64())
	}
	long.Assets[0].Faces = []report.Face{{ID: "1", Reason: reason.String()}}
	if err := store(open(t, t.TempDir())).Remember(t.Context(), long); !errors.Is(err, review.ErrTooLarge) {
		t.Errorf("%v, want %v", err, review.ErrTooLarge)
	}
}

func TestEffects(t *testing.T) {
	everyone := made("/c", 4, "website/1")
	everyone.Assets[0].Faces = []report.Face{{Rule: pipeline.RuleEveryone}}
	alone := made("/a", 5, "website/2")
	after := made("/a", 6, "website/2", "social-media/3")
	runs := []review.Run{made("/a", 1, "website/1", "website/2"), made("/a", 2, "press/1"), made("/b", 3, "website/2"), everyone, alone, after}
	for name, test := range map[string]struct {
		asset    string
		purposes []consent.Purpose
		want     []string
	}{
		"all purposes":    {"1", nil, []string{"1: website/1", "2: press/1", "5:", "6:"}},
		"one purpose":     {"1", []consent.Purpose{"press"}, []string{"2: press/1"}},
		"in many folders": {"2", []consent.Purpose{"website"}, []string{"1: website/2", "3: website/2", "5: website/2", "6: website/2"}},
		"an asset alone":  {"3", nil, []string{"6: social-media/3"}},
		"unknown":         {"4", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range review.Effects(runs, review.Change{Asset: "digest of " + test.asset, Purposes: test.purposes}) {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%d: %s", e.Run.Finished.Unix(), strings.Join(e.Places, ","))))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzUnpackedRuns(f *testing.F) {
	b, err := bus.Open(f.Context(), bus.Options{StoreDir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = b.Close() })
	s := store(b)
	key := strings.Repeat("ab", 32)
	if err := s.Remember(f.Context(), made(f.TempDir(), 1, "website/1")); err != nil {
		f.Fatal(err)
	}
	for change, err := range b.Runs().Watch(f.Context()) {
		if err != nil || change.CaughtUp {
			break
		}
		f.Add(change.Value)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		if len(value) > 700<<10 {
			return
		}
		if _, err := b.Runs().Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
		if got := known(t, s); len(got.Damaged) != 1 || len(got.Runs) != 1 {
			t.Errorf("a run was read from another's key: %+v", got)
		}
	})
}
