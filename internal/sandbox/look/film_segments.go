package look

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/consentry/consentry/internal/atomicfile"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/pathless"
	"github.com/consentry/consentry/pipeline"
)

// segmentFrames is how many frames a segment has at most, ten seconds of most films; it ends earlier where a shot begins in its
// second half. There the painter begins anew in any case, and the encoder would begin a group of pictures.
const segmentFrames = 250

// planSegments says with which frame each segment begins.
func planSegments(frames int, shots []int) []int {
	var firsts []int
	for at := 0; at < frames; {
		firsts = append(firsts, at)
		end := at + segmentFrames
		for len(shots) > 0 && shots[0] <= at+segmentFrames {
			if shots[0] > at+segmentFrames/2 {
				end = shots[0]
			}
			shots = shots[1:]
		}
		at = end
	}
	return firsts
}

// segmentRevision is raised when the same rendering would be painted or encoded otherwise, or is noted otherwise.
const segmentRevision = 2

// segment is what is noted beside a finished segment, so that it is found again after an interruption, and so that the finished
// film can be held against what went into the encoder.
type segment struct {
	Rendering string             `json:"rendering"` // digest, see segmentDigests: of another rendering it is of no use
	First     int                `json:"first"`     // frame
	Times     []time.Duration    `json:"times"`
	Sum       string             `json:"sum"` // SHA-256 of the file
	Widest    map[int][4]float64 `json:"widest"`
	Means     []byte             `json:"means"` // of each frame, one after the other; see blocks.means
}

// segmentDigests tell the segments of renderings of one film apart by all that their pictures depend on: of the covers those that
// reach into the segment, or into what the painter sees before it. So a cover more leaves the other segments what they are.
func segmentDigests(f pipeline.Film, r pipeline.Rendering, firsts []int) ([]string, error) {
	base, err := digestOf(struct {
		Revision int
		Film     string
		Part     film.Part
		Info     film.Info
		Times    []time.Duration
		Shots    []int
		Style    obscure.Style
		Encoding film.Encoding
	}{segmentRevision, filepath.Base(f.Path), f.Part, r.Info, r.Times, r.Shots, r.Style, r.Encoding})
	if err != nil {
		return nil, err
	}
	covers := make([]string, len(r.Covers))
	for i, c := range r.Covers {
		if covers[i], err = digestOf(c); err != nil {
			return nil, err
		}
	}
	digests := make([]string, len(firsts))
	for n, first := range firsts {
		own := []string{base, strconv.Itoa(n)}
		from, end := warmFrom(r, first), endOf(firsts, n, len(r.Times))
		for i, c := range r.Covers {
			if len(c.Path) > 0 && c.Path[0].Frame < end && c.Path[len(c.Path)-1].Frame >= from {
				own = append(own, covers[i])
			}
		}
		if digests[n], err = digestOf(own); err != nil {
			return nil, err
		}
	}
	return digests, nil
}

func digestOf(what any) (string, error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(what); err != nil {
		return "", fmt.Errorf("telling renderings apart: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// endOf is the frame after the last of a segment.
func endOf(firsts []int, n, frames int) int {
	if n+1 < len(firsts) {
		return firsts[n+1]
	}
	return frames
}

func segmentPath(folder string, n int) string {
	return filepath.Join(folder, fmt.Sprintf("%06d.mp4", n))
}

func notePath(folder string, n int) string { return filepath.Join(folder, fmt.Sprintf("%06d.json", n)) }

// write notes the segment beside its file.
func (s *segment) write(folder string, n int) (err error) {
	if s.Sum, err = fileSum(segmentPath(folder, n)); err != nil {
		return fmt.Errorf("noting a segment: %w", err)
	}
	err = atomicfile.Write(notePath(folder, n), 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
	if err != nil {
		return fmt.Errorf("noting a segment: %w", err)
	}
	return nil
}

// readSegment finds a finished segment again. ok is false where there is none, none of this rendering, or one that was damaged
// since; it is made anew then.
func readSegment(folder string, n int, rendering string) (s segment, ok bool) {
	text, err := os.ReadFile(notePath(folder, n))
	if err != nil || json.Unmarshal(text, &s) != nil || s.Rendering != rendering {
		return segment{}, false
	}
	sum, err := fileSum(segmentPath(folder, n))
	return s, err == nil && sum == s.Sum
}

func found(folder string, n int, rendering string) bool {
	_, ok := readSegment(folder, n, rendering)
	return ok
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", pathless.Error(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", pathless.Error(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
