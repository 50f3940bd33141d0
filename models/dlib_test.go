package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The wanted bytes are what dlib 19.24 itself writes for these values.
func TestDlibWriter(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write func(*dlibWriter)
		want  string
	}{
		"zero":           {func(w *dlibWriter) { w.integer(0) }, "0100"},
		"one byte":       {func(w *dlibWriter) { w.integer(128) }, "0180"},
		"two bytes":      {func(w *dlibWriter) { w.integer(256) }, "020001"},
		"negative":       {func(w *dlibWriter) { w.integer(-300) }, "822c01"},
		"text":           {func(w *dlibWriter) { w.text("relu_") }, "010572656c755f"},
		"flags":          {func(w *dlibWriter) { w.flags(true, false) }, "3130"},
		"double 1":       {func(w *dlibWriter) { w.doubles(1) }, "01108104"},
		"double 0":       {func(w *dlibWriter) { w.doubles(0) }, "0100010b"},
		"double 0.4":     {func(w *dlibWriter) { w.doubles(0.4) }, "079a9999999999198136"},
		"double 100":     {func(w *dlibWriter) { w.doubles(100) }, "01190102"},
		"float 0.04":     {func(w *dlibWriter) { w.floats(0.04) }, "030ad7a3811c"},
		"float 122.782":  {func(w *dlibWriter) { w.floats(122.782) }, "036290f58111"},
		"negative float": {func(w *dlibWriter) { w.floats(-1) }, "81808107"},
		"tensor": {
			func(w *dlibWriter) { w.tensor(dims{1, 2, 1, 1}, []float32{1}, []float32{-2}) },
			"0102" + "0101" + "0102" + "0101" + "0101" + "0000803f" + "000000c0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &dlibWriter{}
			c.write(w)
			if d := cmp.Diff(c.want, hex.EncodeToString(w.Bytes())); d != "" {
				t.Error(d)
			}
		})
	}
}

// The pinned digest is that of the file that dlib 19.24 writes for a default-constructed network
// of go-face's cnn_anet_type.
func TestDetectorStubIsWhatDlibWrites(t *testing.T) {
	t.Parallel()
	want := embeddedEntry(t, DlibDetectorStub).SHA256
	if got := digestOf(detectorStub()); got != want {
		t.Errorf("sha256 %s, want %s", got, want)
	}
}

// The pulled file, taken apart and built again, must give the very same bytes: layout, order of
// the weights and all constants are as they were when the digest was made.
func TestResNetRoundTripOfTheRealFile(t *testing.T) {
	t.Parallel()
	whole := modelFile(t, embeddedEntry(t, DlibResNet).File)
	names, tensors := takeResNetApart(t, whole)
	manifest, bin := tfjsExport(t, names, tensors)
	again, err := resNetFromTFJS(manifest, bin)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := digestOf(again), embeddedEntry(t, DlibResNet).SHA256; got != want {
		t.Errorf("sha256 %s, want %s", got, want)
	}
}

// Every weight of a made-up export is found again where dlib looks for it.
func TestResNetPlacesEveryWeight(t *testing.T) {
	t.Parallel()
	names, want := madeUpResNet()
	manifest, bin := tfjsExport(t, names, want)
	file, err := resNetFromTFJS(manifest, bin)
	if err != nil {
		t.Fatal(err)
	}
	if len(file) != 22_466_154 {
		t.Errorf("%d bytes, want as many as the real one has", len(file))
	}
	_, got := takeResNetApart(t, file)
	for _, n := range names {
		if !slices.Equal(want[n].shape, got[n].shape) || !slices.Equal(want[n].data, got[n].data) {
			t.Errorf("tensor %s is not what went in", n)
		}
	}
}

func TestResNetRefuses(t *testing.T) {
	t.Parallel()
	first := func(shape ...int) map[string]tensor {
		return map[string]tensor{"conv32_down/conv/filters": {shape, make([]float32, 7*7*3*32)}}
	}
	for name, c := range map[string]struct {
		tensors map[string]tensor
		want    string
	}{
		"nothing":          {map[string]tensor{}, `tensor "conv32_down/conv/filters" is missing`},
		"a missing tensor": {first(7, 7, 3, 32), `tensor "conv32_down/conv/bias" is missing`},
		"another shape":    {first(7, 7, 32, 3), "has the shape [7 7 32 3], want [7 7 3 32]"},
		"a dimension less": {first(49, 96), "has the shape [49 96]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manifest, bin := tfjsExport(t, slices.Collect(maps.Keys(c.tensors)), c.tensors)
			_, err := resNetFromTFJS(manifest, bin)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// A tensor that the network has no place for means that this is another network.
func TestResNetRefusesWhatIsLeftOver(t *testing.T) {
	t.Parallel()
	names, tensors := madeUpResNet()
	tensors["more"] = tensor{[]int{1}, []float32{0}}
	manifest, bin := tfjsExport(t, append(names, "more"), tensors)
	_, err := resNetFromTFJS(manifest, bin)
	if err == nil || !strings.Contains(err.Error(), "1 tensors have no place") {
		t.Errorf("error %v, want one about the tensor left over", err)
	}
}

// resNetConvs are the network's convolutions in dlib's order: name, side, channels in and out.
func resNetConvs() (names []string, shapes [][3]int) {
	add := func(name string, size, in, out int) {
		names, shapes = append(names, name), append(shapes, [3]int{size, in, out})
	}
	add("conv32_down", 7, 3, 32)
	in := 32
	for _, b := range strings.Fields("32_1 32_2 32_3 64_down 64_1 64_2 64_3 128_down 128_1 128_2 256_down 256_1 256_2 256_down_out") {
		var out int
		_, _ = fmt.Sscanf(b, "%d", &out)
		add("conv"+b+"/conv1", 3, in, out)
		add("conv"+b+"/conv2", 3, out, out)
		in = out
	}
	return names, shapes
}

// madeUpResNet has the real export's names and shapes, and another value in every place that
// float32 can tell from its neighbours.
func madeUpResNet() (names []string, tensors map[string]tensor) {
	tensors = map[string]tensor{}
	next := float32(0)
	add := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			next++
			data[i] = next
		}
		names, tensors[name] = append(names, name), tensor{shape, data}
	}
	convs, shapes := resNetConvs()
	for i, c := range convs {
		size, in, out := shapes[i][0], shapes[i][1], shapes[i][2]
		add(c+"/conv/filters", size, size, in, out)
		add(c+"/conv/bias", out)
		add(c+"/scale/weights", out)
		add(c+"/scale/biases", out)
	}
	add("fc", 256, 128)
	return names, tensors
}

// takeResNetApart finds the parameters by the names of the layers, and turns them back into the
// tensors of the TFJS export. It knows nothing of how the file is written but that.
func takeResNetApart(t *testing.T, file []byte) (names []string, tensors map[string]tensor) {
	t.Helper()
	tensors = map[string]tensor{}
	params := func(layer string, skip, n int) []float32 {
		tag := append([]byte{1, byte(len(layer))}, layer...)
		i := bytes.Index(file, tag)
		if i < 0 {
			t.Fatalf("no more layers called %s", layer)
		}
		file = file[i+len(tag)+skip:]
		file = file[2:] // version
		for range 4 {   // dimensions
			file = file[1+int(file[0]):]
		}
		out := make([]float32, n)
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(file[4*i:]))
		}
		file = file[4*n:]
		return out
	}
	convs, shapes := resNetConvs()
	for i, c := range convs {
		size, in, out := shapes[i][0], shapes[i][1], shapes[i][2]
		weights := size * size * in * out
		conv, affine := params("con_5", 0, weights+out), params("affine_2", 0, 2*out)
		hwio := make([]float32, weights)
		for j := range hwio { // j runs over rows, columns, channels in, filters
			n, ch, p := j%out, j/out%in, j/out/in
			hwio[j] = conv[(n*in+ch)*size*size+p]
		}
		for name, v := range map[string]tensor{
			"/conv/filters":  {[]int{size, size, in, out}, hwio},
			"/conv/bias":     {[]int{out}, conv[weights:]},
			"/scale/weights": {[]int{out}, affine[:out]},
			"/scale/biases":  {[]int{out}, affine[out:]},
		} {
			names, tensors[c+name] = append(names, c+name), v
		}
	}
	tensors["fc"] = tensor{[]int{256, 128}, params("fc_3", 5, 256*128)} // after 128 and 256
	return append(names, "fc"), tensors
}

func embeddedEntry(t *testing.T, name Name) entry {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e, ok := s.entry(name)
	if !ok {
		t.Fatalf("no entry %s", name)
	}
	return e
}

// modelFile reads a file of the model directory that the tests use. A short run may do without.
func modelFile(t *testing.T, file string) []byte {
	t.Helper()
	dir := os.Getenv("CONSENTRY_MODELS")
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		if testing.Short() {
			t.Skip("the weights are not pulled and the run is short:", file)
		}
		t.Fatal("pull the models first:", err)
	}
	return b
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
