package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
)

// cutDetectorSHA256 is the digest of what CutDetector makes of the shipped detector
// (sha256 6c0256cc…8854); the manifest pins it too.
const cutDetectorSHA256 = "b8b58d0002a287edffa2df27e5910dc53e770d7e471b997834d44316e0762df0"

// testNode is a NodeProto wrapped as a field of a graph.
func testNode(op, out string, in ...string) []byte {
	var n []byte
	for _, i := range in {
		n = appendMessage(n, nodeInput, []byte(i))
	}
	n = appendMessage(n, nodeOutput, []byte(out))
	n = appendMessage(n, nodeOp, []byte(op))
	return appendMessage(nil, graphNode, n)
}

// testWeights is a TensorProto wrapped as a field of a graph.
func testWeights(name string, dims ...int) []byte {
	var t []byte
	for _, d := range dims {
		t = protowire.AppendTag(t, tensorDims, protowire.VarintType)
		t = protowire.AppendVarint(t, uint64(d))
	}
	t = appendMessage(t, tensorName, []byte(name))
	return appendMessage(nil, graphInit, t)
}

// testModel wraps graph fields as a model.
func testModel(graph ...[]byte) []byte {
	m := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 6)
	m = appendMessage(m, 2, []byte("pytorch"))
	return appendMessage(m, modelGraph, bytes.Join(graph, nil))
}

// testDetector is a graph with the detector's heads on a backbone of one convolution and a tail
// that the cut must drop.
func testDetector() [][]byte {
	g := [][]byte{testNode("Conv", "body", "input", "w")}
	for _, h := range DetectorHeads() {
		g = append(g, testNode("Conv", h.Tensor, "body", "w"+h.Tensor))
	}
	g = append(g, testNode("Concat", "all", "319", "365", "prior"), testNode("Softmax", "scores", "all"))
	g = append(g, appendMessage(nil, 2, []byte("graph")))
	g = append(g, testWeights("w", 6, 3, 3, 3), testWeights("prior", 4420, 4))
	for _, h := range DetectorHeads() {
		g = append(g, testWeights("w"+h.Tensor, h.Channels, 6, 1, 1))
	}
	return append(g, appendMessage(nil, graphInput, valueInfo("input", 1, 3, 240, 320)),
		appendMessage(nil, graphOutput, valueInfo("scores", 1, 4420, 2)))
}

// graphOf reads the one graph of a model, failing the test where it cannot.
func graphOf(t *testing.T, model []byte) (*onnxGraph, []onnxField) {
	t.Helper()
	fields, err := splitMessage(model)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		if f.num != modelGraph {
			continue
		}
		g, err := readGraph(f.body)
		if err != nil {
			t.Fatal(err)
		}
		inside, err := splitMessage(f.body)
		if err != nil {
			t.Fatal(err)
		}
		return g, inside
	}
	t.Fatal("no graph")
	return nil, nil
}

func outputNames(t *testing.T, inside []onnxField) []string {
	t.Helper()
	var names []string
	for _, f := range inside {
		if f.num != graphOutput {
			continue
		}
		v, err := splitMessage(f.body)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, string(v[0].body))
	}
	return names
}

func TestCutDetectorKeepsHeadsAndDropsTheTail(t *testing.T) {
	t.Parallel()
	cut, err := CutDetector(testModel(testDetector()...))
	if err != nil {
		t.Fatal(err)
	}
	g, inside := graphOf(t, cut)
	var made, weights, want, wantWeights []string
	for _, n := range g.nodes {
		made = append(made, n.outputs...)
	}
	for _, w := range g.tensors {
		weights = append(weights, w.name)
	}
	for _, h := range DetectorHeads() {
		want = append(want, h.Tensor)
		wantWeights = append(wantWeights, "w"+h.Tensor)
	}
	if d := cmp.Diff(append([]string{"body"}, want...), made); d != "" {
		t.Error("tensors made:", d)
	}
	if d := cmp.Diff(append([]string{"w"}, wantWeights...), weights); d != "" {
		t.Error("constants kept:", d)
	}
	if d := cmp.Diff(want, outputNames(t, inside)); d != "" {
		t.Error("outputs:", d)
	}
}

func TestCutDetectorIsDeterministicAndStable(t *testing.T) {
	t.Parallel()
	once, err := CutDetector(testModel(testDetector()...))
	if err != nil {
		t.Fatal(err)
	}
	twice, err := CutDetector(once)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(once, twice) {
		t.Error("cutting what is cut changes it")
	}
}

func TestCutDetectorRefusesOtherBytes(t *testing.T) {
	t.Parallel()
	whole := testDetector()
	without := func(i int) []byte {
		rest := append([][]byte{}, whole[:i]...)
		return testModel(append(rest, whole[i+1:]...)...)
	}
	with := func(more ...[]byte) []byte { return testModel(append(append([][]byte{}, whole...), more...)...) }
	tests := map[string][]byte{
		"nothing":                    nil,
		"text":                       []byte("this is no network"),
		"truncated":                  testModel(whole...)[:200],
		"a head is missing":          without(3),
		"a head's weights missing":   without(len(whole) - 3),
		"no input":                   without(len(whole) - 2),
		"two inputs":                 with(appendMessage(nil, graphInput, valueInfo("more", 1))),
		"two makers of one tensor":   with(testNode("Relu", "319", "body")),
		"two constants of one name":  with(testWeights("w", 1)),
		"a nameless constant":        with(testWeights("", 1)),
		"use before it is made":      testModel(append([][]byte{testNode("Relu", "x", "449")}, whole...)...),
		"a circle":                   with(testNode("Relu", "loop", "loop")),
		"a dimension out of range":   with(testWeights("huge", 1<<40)),
		"two graphs":                 append(testModel(whole...), testModel(whole...)...),
		"a number where a node is":   with(protowire.AppendVarint(protowire.AppendTag(nil, graphNode, protowire.VarintType), 1)),
		"a group":                    append(testModel(whole...), protowire.AppendTag(nil, 9, protowire.StartGroupType)...),
		"larger than any detector":   make([]byte, maxDetector+1),
		"a head made by another op":  testModel(append(append([][]byte{whole[0], testNode("Relu", "319", "body", "w319")}, whole[2:]...), nil)...),
		"a head with wrong channels": wrongChannels(),
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := CutDetector(in); !errors.Is(err, ErrNotDetector) {
				t.Errorf("error %v, want ErrNotDetector", err)
			}
		})
	}
}

// wrongChannels is the detector with one channel too many in its first head.
func wrongChannels() []byte {
	g := testDetector()
	for i, f := range g {
		if bytes.Equal(f, testWeights("w319", 6, 6, 1, 1)) {
			g[i] = testWeights("w319", 7, 6, 1, 1)
		}
	}
	return testModel(g...)
}

func TestDimensionsMayBePacked(t *testing.T) {
	t.Parallel()
	packed := protowire.AppendVarint(protowire.AppendVarint(nil, 6), 300)
	got, err := onnxField{typ: protowire.BytesType, body: packed}.dims()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{6, 300}, got); d != "" {
		t.Error(d)
	}
}

// modelDir is where the weights were pulled to; a short run may do without.
func onnxTestFile(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("CONSENTRY_MODELS")
	if dir == "" {
		data := os.Getenv("XDG_DATA_HOME")
		if data == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				t.Fatal(err)
			}
			data = filepath.Join(home, ".local", "share")
		}
		dir = filepath.Join(data, "consentry", "models")
	}
	b, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // a test's own model directory
	if err != nil {
		if testing.Short() {
			t.Skip("the weights are not pulled and the run is short:", name)
		}
		t.Fatal("pull the models first:", err)
	}
	return b
}

// The model directory holds the cut file. Cutting it again must give the pinned bytes, which
// proves that it is whole and that the cut has not changed.
func TestCutDetectorOfTheRealFile(t *testing.T) {
	t.Parallel()
	cut, err := CutDetector(onnxTestFile(t, "fr_detect_cut.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(cut)
	if got := hex.EncodeToString(sum[:]); got != cutDetectorSHA256 {
		t.Errorf("sha256 %s, want %s", got, cutDetectorSHA256)
	}
}

func FuzzCutDetector(f *testing.F) {
	whole := testModel(testDetector()...)
	f.Add(whole)
	f.Add(wrongChannels())
	for _, n := range []int{0, 1, 40, len(whole) / 2} {
		f.Add(whole[:n])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		cut, err := CutDetector(b)
		if err != nil {
			if !errors.Is(err, ErrNotDetector) {
				t.Fatal("a foreign error:", err)
			}
			return
		}
		again, err := CutDetector(cut)
		if err != nil {
			t.Fatal("what was cut is refused: ", err)
		}
		if !bytes.Equal(cut, again) {
			t.Fatal("cutting is not stable, " + strconv.Itoa(len(cut)) + " bytes")
		}
	})
}
