package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// movie PHOTO W H SECONDS TO [ARG…] makes a film of W × H pixels, 12 frames a second with a tone, that pans
// over the photograph from left to right. The arguments are ffmpeg's, for the output.
func movie(ts *testscript.TestScript, _ bool, args []string) {
	w, h, seconds := args[1], args[2], args[3]
	pan := fmt.Sprintf("crop=%s:%s:x=(in_w-%s)*t/%s:y=(in_h-%s)/2,scale=out_range=tv,format=yuv420p", w, h, w, seconds, h)
	line := []string{
		"-v", "error", "-y", "-loop", "1", "-framerate", "12", "-t", seconds, "-i", args[0],
		"-f", "lavfi", "-t", seconds, "-i", "sine=frequency=440:sample_rate=44100",
		"-vf", pan, "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-g", "12", "-c:a", "aac", "-b:a", "64k",
		"-metadata", "title=Alice",
	}
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[4])), 0o755))
	ts.Check(ts.Exec("ffmpeg", append(append(line, args[5:]...), args[4])...))
}

// output runs a program and returns what it prints.
func output(ts *testscript.TestScript, program string, args ...string) []byte {
	cmd := exec.Command(program, args...)
	cmd.Dir = ts.MkAbs(".")
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		ts.Fatalf("%s: %v\n%s", program, err, words.String())
	}
	return out
}

// times are the time stamps of a film's frames, in seconds.
func times(ts *testscript.TestScript, path string) []float64 {
	text := output(ts, "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path)
	var list []float64
	for _, field := range strings.Fields(string(text)) {
		at, err := strconv.ParseFloat(strings.TrimSuffix(field, ","), 64)
		ts.Check(err)
		list = append(list, at)
	}
	return list
}

// sametimes A B [FROM COUNT] wants as many frames in B as in A, or COUNT of them from number FROM on, each with the
// same time to the millisecond; of a part the times are counted from its first frame.
func sameTimes(ts *testscript.TestScript, _ bool, args []string) {
	a, b := times(ts, args[0]), times(ts, args[1])
	if len(args) > 2 {
		n := numbers(ts, args[2:4])
		a = a[n[0] : n[0]+n[1]]
		for i, first := 0, a[0]; i < len(a); i++ {
			a[i] -= first
		}
	}
	if len(a) != len(b) || len(a) == 0 {
		ts.Fatalf("%d frames and %d", len(a), len(b))
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 0.001 {
			ts.Fatalf("frame %d is at %v and at %v", i, a[i], b[i])
		}
	}
}

// samestreams A B KIND [decoded] wants the packets of all streams of the kind (a or v) to be the same, or what is decoded
// of them.
func sameStreams(ts *testscript.TestScript, neg bool, args []string) {
	hash := func(path string) string {
		line := []string{"-v", "error", "-i", path, "-map", "0:" + args[2]}
		if len(args) < 4 {
			line = append(line, "-c", "copy")
		}
		return string(output(ts, "ffmpeg", append(line, "-f", "streamhash", "-")...))
	}
	a, b := hash(args[0]), hash(args[1])
	if (a == b) == neg || a == "" {
		ts.Fatalf("the streams are:\n%s\n%s", a, b)
	}
}

// alike A B W H wants the frames of two films to differ in nothing that can be seen.
func alike(ts *testscript.TestScript, _ bool, args []string) {
	n := numbers(ts, args[2:4])
	a, b := luma(ts, args[0], n[0], n[1]), luma(ts, args[1], n[0], n[1])
	if len(a) != len(b) || len(a) == 0 {
		ts.Fatalf("%d frames and %d", len(a), len(b))
	}
	for i := range a {
		if d := apart(a[i], b[i], n[0], [4]float64{0, 0, float64(n[0]), float64(n[1])}); d > 2 {
			ts.Fatalf("frame %d differs by %.1f", i, d)
		}
	}
}

// streams FILE KIND… wants exactly these streams, such as video audio.
func streams(ts *testscript.TestScript, _ bool, args []string) {
	text := output(ts, "ffprobe", "-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", args[0])
	if got := strings.Fields(string(text)); !slices.Equal(got, args[1:]) {
		ts.Fatalf("%s has streams %v, want %v", args[0], got, args[1:])
	}
}

// spot is one line of a list of boxes.
type spot struct {
	Frame int     `json:"frame"`
	At    float64 `json:"at"`
	Boxes []struct {
		Track int        `json:"track"`
		Box   [4]float64 `json:"box"`
	} `json:"boxes"`
}

func spots(ts *testscript.TestScript, path string) []spot {
	var list []spot
	lines := bufio.NewScanner(strings.NewReader(ts.ReadFile(path)))
	for lines.Scan() {
		var s spot
		ts.Check(json.Unmarshal(lines.Bytes(), &s))
		if s.Frame != len(list) {
			ts.Fatalf("%s: line %d is of frame %d", path, len(list)+1, s.Frame)
		}
		list = append(list, s)
	}
	return list
}

// covered OUT PURPOSE PATH ORIGINAL [FROM COUNT] wants, on every frame of the film, the middle of each obscured track's face
// to be another one than in the original, that of each shown track to be the same, but for the encoder, and the picture's
// corner too.
func covered(ts *testscript.TestScript, _ bool, args []string) {
	asset := findAsset(ts, args[0], args[1], args[2])
	derivative := args[0] + "/" + asset.Derivative
	outcomes := map[int]string{}
	for _, t := range asset.Tracks {
		outcomes[t.ID] = t.Outcome
	}
	a, b := luma(ts, args[3], asset.Width, asset.Height), luma(ts, derivative, asset.Width, asset.Height)
	if len(args) > 4 {
		n := numbers(ts, args[4:6])
		a = a[n[0] : n[0]+n[1]]
	}
	list := spots(ts, derivative+".tracks.jsonl")
	if len(a) != len(b) || len(list) != len(a) {
		ts.Fatalf("%d frames in the original, %d in the derivative, %d lines", len(a), len(b), len(list))
	}
	seen := 0
	for n, s := range list {
		if d := apart(a[n], b[n], asset.Width, [4]float64{0, 0, 16, 16}); d > 4 {
			ts.Fatalf("frame %d: the corner differs by %.1f", n, d)
		}
		for _, at := range s.Boxes {
			d := apart(a[n], b[n], asset.Width, inner(at.Box, asset.Width, asset.Height))
			switch outcome := outcomes[at.Track]; {
			case outcome == "obscure" && d < 8, outcome == "show" && d > 4, outcome == "":
				ts.Fatalf("frame %d: track %d (%s) differs by %.1f", n, at.Track, outcome, d)
			}
			seen++
		}
	}
	if seen == 0 {
		ts.Fatalf("no face on any frame")
	}
}

// inner is the middle half of a box, as far as it lies in the picture.
func inner(b [4]float64, w, h int) [4]float64 {
	x0, y0 := math.Max(0, b[0]+b[2]/4), math.Max(0, b[1]+b[3]/4)
	x1, y1 := math.Min(float64(w), b[0]+b[2]*3/4), math.Min(float64(h), b[1]+b[3]*3/4)
	return [4]float64{x0, y0, x1 - x0, y1 - y0}
}

// luma decodes the frames' grey values.
func luma(ts *testscript.TestScript, path string, w, h int) [][]byte {
	pixels := output(ts, "ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-")
	frames := slices.Collect(slices.Chunk(pixels, w*h))
	if len(pixels)%(w*h) != 0 {
		ts.Fatalf("%s: %v", path, io.ErrUnexpectedEOF)
	}
	return frames
}

// apart is the mean difference within the box; NaN, which is neither more nor less than anything, where the box is empty.
func apart(a, b []byte, width int, box [4]float64) float64 {
	sum, n := 0.0, 0.0
	for y := int(box[1]); y < int(box[1]+box[3]); y++ {
		for x := int(box[0]); x < int(box[0]+box[2]); x++ {
			sum += math.Abs(float64(a[y*width+x]) - float64(b[y*width+x]))
			n++
		}
	}
	return sum / n
}

// blot FROM TO overwrites a stretch in the middle of a file.
func blot(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	for i := len(data) / 2; i < len(data)/2+len(data)/10; i++ {
		data[i] = byte(i * i)
	}
	write(ts, args[1], data)
}
