package models

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// DetectorHead is one of the eight last convolutions of the RFB-320 detector: the tensor it
// makes, how many channels that has, and how many pixels of the input one cell stands for.
type DetectorHead struct {
	Tensor   string // name of the tensor in the graph as shipped and as cut
	Channels int    // anchors × 2 (scores) or anchors × 4 (boxes)
	Stride   int    // pixels: 8, 16, 32 or 64
}

// DetectorHeads are the outputs of the cut detector in order: scores then boxes, stride by
// stride. The names and sizes are those of the shipped file, whose sha256 the manifest pins.
func DetectorHeads() []DetectorHead {
	return []DetectorHead{
		{"319", 6, 8},
		{"333", 12, 8},
		{"365", 4, 16},
		{"379", 8, 16},
		{"405", 4, 32},
		{"419", 8, 32},
		{"437", 6, 64},
		{"449", 12, 64},
	}
}

// ErrNotDetector is wrapped by every error of CutDetector: the bytes are not an ONNX file, or
// not that of the detector.
var ErrNotDetector = errors.New("not the RFB-320 detector")

const (
	detectorWidth  = 320     // of the input that the file declares, pixels
	detectorHeight = 240     // of the same
	maxDetector    = 8 << 20 // bytes; the real file has 1.2 million
	onnxFloat      = 1       // TensorProto.DataType.FLOAT
)

// Field numbers of onnx.proto (ONNX IR version 6).
const (
	modelGraph = 7

	graphNode   = 1
	graphInit   = 5
	graphInput  = 11
	graphOutput = 12
	graphValue  = 13

	nodeInput  = 1
	nodeOutput = 2
	nodeOp     = 4

	tensorDims = 1
	tensorName = 8

	valueName = 1
	valueType = 2
)

// CutDetector takes the detector as it is shipped, with the 4,420 priors of a 320×240 picture
// inside, and gives it back cut at its eight last convolutions, so that it runs at every size that
// is a multiple of 64. Weights and structure of what stays are untouched; transposes, softmax and
// the decoding of priors are gone, and the outputs are those of DetectorHeads, shaped [1, channels,
// rows, columns]. The same input always gives the same bytes. Anything but that detector is
// refused with ErrNotDetector.
func CutDetector(onnx []byte) ([]byte, error) {
	if len(onnx) > maxDetector {
		return nil, fmt.Errorf("%w: %d bytes", ErrNotDetector, len(onnx))
	}
	out, err := rewriteModel(onnx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotDetector, err)
	}
	return out, nil
}

// rewriteModel copies the model with its one graph cut.
func rewriteModel(onnx []byte) ([]byte, error) {
	fields, err := splitMessage(onnx)
	if err != nil {
		return nil, err
	}
	var out []byte
	graphs := 0
	for _, f := range fields {
		if f.num != modelGraph {
			out = append(out, f.raw...)
			continue
		}
		graphs++
		body, err := cutGraph(f.body)
		if err != nil {
			return nil, err
		}
		out = appendMessage(out, modelGraph, body)
	}
	if graphs != 1 {
		return nil, fmt.Errorf("%d graphs", graphs)
	}
	return out, nil
}

// cutGraph copies of a graph what its eight heads need, in the order of the file.
func cutGraph(body []byte) ([]byte, error) {
	g, err := readGraph(body)
	if err != nil {
		return nil, err
	}
	if err := g.checkHeads(); err != nil {
		return nil, err
	}
	needed := g.needed()
	var out []byte
	for _, n := range g.nodes {
		if n.makesAny(needed) {
			out = append(out, n.raw...)
		}
	}
	for _, f := range g.rest {
		out = append(out, f.raw...)
	}
	for _, t := range g.tensors {
		if needed[t.name] {
			out = append(out, t.raw...)
		}
	}
	out = append(out, g.input...)
	return appendHeads(out), nil
}

// appendHeads declares the eight outputs with static shapes, which OpenCV 4.6 wants although it
// then takes any multiple of 64.
func appendHeads(out []byte) []byte {
	for _, h := range DetectorHeads() {
		rows, cols := gridCells(detectorHeight, h.Stride), gridCells(detectorWidth, h.Stride)
		out = appendMessage(out, graphOutput, valueInfo(h.Tensor, 1, h.Channels, rows, cols))
	}
	return out
}

// gridCells is how many cells of stride pixels cover size pixels.
func gridCells(size, stride int) int { return (size + stride - 1) / stride }

// valueInfo is a ValueInfoProto of a float tensor.
func valueInfo(name string, dims ...int) []byte {
	var shape []byte
	for _, d := range dims {
		dim := protowire.AppendTag(nil, 1, protowire.VarintType)
		dim = protowire.AppendVarint(dim, uint64(d)) //nolint:gosec // dims are the small positive constants above
		shape = appendMessage(shape, 1, dim)
	}
	tensor := protowire.AppendTag(nil, 1, protowire.VarintType)
	tensor = protowire.AppendVarint(tensor, onnxFloat)
	tensor = appendMessage(tensor, 2, shape)
	v := appendMessage(nil, valueName, []byte(name))
	return appendMessage(v, valueType, appendMessage(nil, 1, tensor))
}

func appendMessage(b []byte, num protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), body)
}

// onnxField is one field of a protobuf message.
type onnxField struct {
	num    protowire.Number
	typ    protowire.Type
	raw    []byte // tag and value as they stand
	body   []byte // of a length-delimited field
	varint uint64 // of a varint field
}

// splitMessage takes a message apart into its fields; groups, which ONNX has none of, are refused.
func splitMessage(b []byte) ([]onnxField, error) {
	var fields []onnxField
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, fmt.Errorf("read a field's tag: %w", protowire.ParseError(n))
		}
		f := onnxField{num: num, typ: typ}
		m := protowire.ConsumeFieldValue(num, typ, b[n:])
		if m < 0 {
			return nil, fmt.Errorf("read field %d: %w", num, protowire.ParseError(m))
		}
		f.raw = b[:n+m]
		switch typ {
		case protowire.BytesType:
			f.body, _ = protowire.ConsumeBytes(b[n:])
		case protowire.VarintType:
			f.varint, _ = protowire.ConsumeVarint(b[n:])
		case protowire.StartGroupType, protowire.EndGroupType:
			return nil, fmt.Errorf("field %d is a group", num)
		default:
		}
		fields = append(fields, f)
		b = b[n+m:]
	}
	return fields, nil
}

// dims reads the repeated int64 of a TensorProto's dimensions, packed or not.
func (f onnxField) dims() ([]int, error) {
	if f.typ == protowire.VarintType {
		return appendDim(nil, f.varint)
	}
	var dims []int
	for b := f.body; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return nil, fmt.Errorf("read dimensions: %w", protowire.ParseError(n))
		}
		var err error
		if dims, err = appendDim(dims, v); err != nil {
			return nil, err
		}
		b = b[n:]
	}
	return dims, nil
}

func appendDim(dims []int, v uint64) ([]int, error) {
	if v > math.MaxInt32 {
		return nil, fmt.Errorf("a dimension of %d", v)
	}
	return append(dims, int(v)), nil
}
