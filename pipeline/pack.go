package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/consentry/consentry/internal/clearance"
)

// packed is a result as [Pack] writes it.
type packed struct {
	Result Result `json:"result"` // without what is below
	// Tracks has for each field of a [TrackResult] its values, one after the other. So the tracks of two orders, which differ in
	// few fields, compress to little more than those of one.
	Tracks map[string][]json.RawMessage `json:"tracks,omitempty"`
	// Signed is the clearance without its tracks, where it can be made from the result's byte by byte.
	Signed *clearance.Signed `json:"signed,omitempty"`
	Number int               `json:"number,omitempty"` // of the tracks
}

// Pack writes results so that those of a long film take up little room: 5,000 tracks for two orders make 5 MB of JSON,
// and with their clearances 11; packed they were 0.33 MB. Pictures stay as large as they are.
func Pack(results []Result) ([]byte, error) {
	all := make([]packed, len(results))
	for i, r := range results {
		all[i] = packed{Result: r, Number: len(r.Tracks), Signed: shortened(r)}
		if all[i].Signed != nil {
			all[i].Result.Clearance = nil
		}
		var err error
		if all[i].Tracks, err = columns(r.Tracks); err != nil {
			return nil, fmt.Errorf("packing results: %w", err)
		}
		all[i].Result.Tracks = nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("packing results: %w", err)
	}
	// The window reaches from one order's tracks to the next one's.
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithWindowSize(16<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("packing results: %w", err)
	}
	return z.EncodeAll(text, nil), z.Close()
}

// mostUnpacked bounds what [Unpack] makes of a few bytes.
const mostUnpacked = 256 << 20

// Unpack reads what [Pack] wrote.
func Unpack(data []byte) ([]Result, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostUnpacked))
	if err != nil {
		return nil, fmt.Errorf("unpacking results: %w", err)
	}
	defer z.Close()
	text, err := z.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("unpacking results: %w", err)
	}
	var all []packed
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("unpacking results: %w", err)
	}
	results := make([]Result, len(all))
	for i, p := range all {
		results[i] = p.Result
		if results[i].Tracks, err = rows(p.Tracks, p.Number); err != nil {
			return nil, fmt.Errorf("unpacking results: %w", err)
		}
		if p.Signed != nil {
			if results[i].Clearance, err = lengthened(*p.Signed, results[i].Tracks); err != nil {
				return nil, fmt.Errorf("unpacking results: %w", err)
			}
		}
	}
	return results, nil
}

// columns turns tracks from a list of objects to lists of values by field; null is a field that is left out.
func columns(tracks []TrackResult) (map[string][]json.RawMessage, error) {
	found := map[string][]json.RawMessage{}
	for i := range tracks {
		text, err := json.Marshal(tracks[i])
		if err != nil {
			return nil, err
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			return nil, err
		}
		for name, value := range fields {
			if found[name] == nil {
				found[name] = make([]json.RawMessage, len(tracks))
			}
			found[name][i] = value
		}
	}
	return found, nil
}

var errPacked = errors.New("a column is shorter than the others")

// rows turns columns back.
func rows(columns map[string][]json.RawMessage, n int) ([]TrackResult, error) {
	for _, values := range columns {
		if len(values) != n {
			return nil, errPacked
		}
	}
	if n == 0 || len(columns) == 0 {
		return nil, nil
	}
	tracks := make([]TrackResult, n)
	fields := map[string]json.RawMessage{}
	for i := range tracks {
		for name, values := range columns {
			fields[name] = values[i]
		}
		text, err := json.Marshal(fields)
		if err == nil {
			err = json.Unmarshal(text, &tracks[i])
		}
		if err != nil {
			return nil, err
		}
	}
	return tracks, nil
}

// shortened is the result's clearance without its tracks; nil where it could not be made again from them as it is.
func shortened(r Result) *clearance.Signed {
	if len(r.Tracks) == 0 || len(r.Clearance) == 0 {
		return nil
	}
	var s clearance.Signed
	if json.Unmarshal(r.Clearance, &s) != nil {
		return nil
	}
	s.Clearance.Tracks = nil
	again, err := lengthened(s, r.Tracks)
	if err != nil || !bytes.Equal(again, r.Clearance) {
		return nil
	}
	return &s
}

// lengthened is the clearance with its tracks, as [clearance.Sign] writes it.
func lengthened(s clearance.Signed, verdicts []TrackResult) ([]byte, error) {
	s.Clearance.Tracks = clearedTracks(verdicts)
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}
