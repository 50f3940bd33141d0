package review

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/consent"
)

// A run is kept as a head under its key, which names its parts, and parts under the key, a dot and
// the digest of what is in them. So the head replaces a whole run in one step, and a part is written
// once and can be erased. All values are compressed JSON.
const (
	runVersion = 2
	maxValue   = 700 << 10 // leaves room for headers below the bucket's 768 KiB
	maxJSON    = 256 << 20 // of one value, unpacked
	partDigits = 32        // of the digest, in its part's key
	readings   = 3         // of a run that is replaced while it is read
)

// ErrTooLarge is a run that cannot be written down: so many paths, or so much about one face.
var ErrTooLarge = errors.New("the run is too large to be written down")

var errNoPart = errors.New("a part of it is missing")

// head is a run without its assets.
type head struct {
	Version  int               `json:"version"`
	Out      string            `json:"out"`
	Purposes []consent.Purpose `json:"purposes"`
	Paths    []string          `json:"paths"`
	Host     string            `json:"host,omitempty"`
	Command  json.RawMessage   `json:"command"`
	Finished time.Time         `json:"finished"`
	Parts    []string          `json:"parts"` // keys
}

// keep writes the run, and erases what it was before.
func (s *Store) keep(ctx context.Context, r Run) error {
	key := r.key()
	h := head{
		Version: runVersion, Out: r.Out, Purposes: r.Purposes, Paths: r.Paths, Host: r.Host,
		Command: r.Command, Finished: r.Finished,
	}
	parts, err := split(r.Assets)
	if err != nil {
		return err
	}
	for _, part := range parts {
		sum := sha256.Sum256(part)
		name := key + "." + hex.EncodeToString(sum[:])[:partDigits]
		if _, err := s.runs.Put(ctx, name, part); err != nil {
			return err
		}
		h.Parts = append(h.Parts, name)
	}
	value, err := pack(h)
	if err != nil {
		return err
	}
	if len(value) > maxValue {
		return ErrTooLarge
	}
	if _, err := s.runs.Put(ctx, key, value); err != nil {
		return err
	}
	return s.erasePartsBut(ctx, key, h.Parts)
}

// split packs the assets into as few values as they fit.
func split(assets []Asset) ([][]byte, error) {
	if len(assets) == 0 {
		return nil, nil
	}
	value, err := pack(assets)
	if err != nil {
		return nil, err
	}
	if len(value) <= maxValue {
		return [][]byte{value}, nil
	}
	if len(assets) == 1 {
		assets = assets[0].halves()
	}
	if len(assets) == 1 {
		return nil, ErrTooLarge
	}
	first, err := split(assets[:len(assets)/2])
	if err != nil {
		return nil, err
	}
	second, err := split(assets[len(assets)/2:])
	return append(first, second...), err
}

// halves are two entries for one asset, each with one half of its faces and tracks; a film of hours has
// thousands. They are put together again where the run is read. It is one where nothing can be halved.
func (a Asset) halves() []Asset {
	f, t := (len(a.Faces)+1)/2, (len(a.Tracks)+1)/2
	if f == len(a.Faces) && t == len(a.Tracks) {
		return []Asset{a}
	}
	first, second := a, a
	first.Faces, second.Faces = a.Faces[:f], a.Faces[f:]
	first.Tracks, second.Tracks = a.Tracks[:t], a.Tracks[t:]
	return []Asset{first, second}
}

// join adds the assets of a part; the first of them may be the rest of the last one before. Of one place
// below the output folder there is one asset.
func join(all, part []Asset) []Asset {
	for _, a := range part {
		if n := len(all); n > 0 && all[n-1].Place == a.Place {
			all[n-1].Faces = append(all[n-1].Faces, a.Faces...)
			all[n-1].Tracks = append(all[n-1].Tracks, a.Tracks...)
			continue
		}
		all = append(all, a)
	}
	return all
}

func pack(v any) ([]byte, error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if err := errors.Join(json.NewEncoder(z).Encode(v), z.Close()); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	return packed.Bytes(), nil
}

func unpack(value []byte, v any) error {
	z, err := gzip.NewReader(bytes.NewReader(value))
	if err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxJSON))
	if err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("unpacking: %w", err)
	}
	return nil
}

// read gives all runs by their keys, and which of them cannot be read.
func (s *Store) read(ctx context.Context) (map[string]Run, []Damaged, error) {
	for attempt := 1; ; attempt++ {
		values, err := s.values(ctx)
		if err != nil {
			return nil, nil, err
		}
		runs, damaged := assemble(values)
		missing := func(d Damaged) bool { return errors.Is(d.Err, errNoPart) }
		if attempt == readings || !slices.ContainsFunc(damaged, missing) {
			return runs, damaged, nil
		}
	}
}

// values is all that is in the bucket.
func (s *Store) values(ctx context.Context) (map[string][]byte, error) {
	values := map[string][]byte{}
	for change, err := range s.runs.Watch(ctx) {
		if err != nil {
			return nil, err
		}
		if change.CaughtUp {
			break
		}
		delete(values, change.Key)
		if !change.Deleted {
			values[change.Key] = change.Value
		}
	}
	return values, nil
}

func assemble(values map[string][]byte) (map[string]Run, []Damaged) {
	runs := map[string]Run{}
	var damaged []Damaged
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if strings.Contains(key, ".") {
			continue
		}
		r, err := runOf(key, values)
		if err != nil {
			damaged = append(damaged, Damaged{Out: r.Out, Err: err, key: key, host: r.Host})
			continue
		}
		runs[key] = r
	}
	return runs, damaged
}

// runOf puts a run together. With an error only its output folder may be known.
func runOf(key string, values map[string][]byte) (Run, error) {
	var h head
	if err := unpack(values[key], &h); err != nil {
		return Run{}, err
	}
	r := Run{Out: h.Out, Purposes: h.Purposes, Paths: h.Paths, Host: h.Host, Command: h.Command, Finished: h.Finished}
	switch {
	case h.Version != runVersion:
		return r, fmt.Errorf("version %d, want %d", h.Version, runVersion)
	case h.Out == "" || r.key() != key:
		return Run{}, errors.New("it is kept under another run's key")
	}
	for _, name := range h.Parts {
		value, ok := values[name]
		if !ok {
			return r, errNoPart
		}
		var assets []Asset
		if err := unpack(value, &assets); err != nil {
			return r, err
		}
		r.Assets = join(r.Assets, assets)
	}
	return r, nil
}
