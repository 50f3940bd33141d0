package models

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// onnxNode is one operation of a graph.
type onnxNode struct {
	raw     []byte
	op      string
	inputs  []string
	outputs []string
}

// makesAny says whether the node makes one of the tensors.
func (n onnxNode) makesAny(tensors map[string]bool) bool {
	return slices.ContainsFunc(n.outputs, func(o string) bool { return tensors[o] })
}

// onnxTensor is one constant of a graph: its name and dimensions.
type onnxTensor struct {
	raw  []byte
	name string
	dims []int
}

// onnxGraph is a GraphProto as far as cutting it needs to know.
type onnxGraph struct {
	nodes   []onnxNode
	tensors []onnxTensor
	input   []byte      // the one input, as it stands
	rest    []onnxField // the graph's name and the like
	maker   map[string]int
	weights map[string][]int
}

// readGraph takes a graph apart and checks what ONNX promises: one maker for each tensor, and
// makers before users.
func readGraph(body []byte) (*onnxGraph, error) {
	fields, err := splitMessage(body)
	if err != nil {
		return nil, err
	}
	g := &onnxGraph{maker: map[string]int{}, weights: map[string][]int{}}
	inputs := 0
	for _, f := range fields {
		if f.typ != protowire.BytesType {
			return nil, fmt.Errorf("graph field %d is not a message", f.num)
		}
		switch f.num {
		case graphNode:
			err = g.addNode(f)
		case graphInit:
			err = g.addTensor(f)
		case graphInput:
			inputs++
			g.input = f.raw
		case graphOutput, graphValue:
		default:
			g.rest = append(g.rest, f)
		}
		if err != nil {
			return nil, err
		}
	}
	if inputs != 1 {
		return nil, fmt.Errorf("%d inputs", inputs)
	}
	return g, g.checkOrder()
}

func (g *onnxGraph) addNode(f onnxField) error {
	fields, err := splitMessage(f.body)
	if err != nil {
		return fmt.Errorf("read a node: %w", err)
	}
	n := onnxNode{raw: f.raw}
	for _, f := range fields {
		switch f.num {
		case nodeInput:
			n.inputs = append(n.inputs, string(f.body))
		case nodeOutput:
			n.outputs = append(n.outputs, string(f.body))
		case nodeOp:
			n.op = string(f.body)
		default:
		}
	}
	for _, o := range n.outputs {
		if _, twice := g.maker[o]; twice {
			return errors.New("two nodes make one tensor")
		}
		g.maker[o] = len(g.nodes)
	}
	g.nodes = append(g.nodes, n)
	return nil
}

func (g *onnxGraph) addTensor(f onnxField) error {
	fields, err := splitMessage(f.body)
	if err != nil {
		return fmt.Errorf("read a tensor: %w", err)
	}
	t := onnxTensor{raw: f.raw}
	for _, f := range fields {
		switch f.num {
		case tensorName:
			t.name = string(f.body)
		case tensorDims:
			d, err := f.dims()
			if err != nil {
				return err
			}
			t.dims = append(t.dims, d...)
		default:
		}
	}
	if _, twice := g.weights[t.name]; twice || t.name == "" {
		return errors.New("a constant without a name of its own")
	}
	g.weights[t.name] = t.dims
	g.tensors = append(g.tensors, t)
	return nil
}

// checkOrder refuses a node that uses what a later one makes, so that no walk can run in circles.
func (g *onnxGraph) checkOrder() error {
	for i, n := range g.nodes {
		for _, in := range n.inputs {
			if m, made := g.maker[in]; made && m >= i {
				return errors.New("a node uses a tensor before it is made")
			}
		}
	}
	return nil
}

// checkHeads makes sure that every head is there, is a convolution and has its channels.
func (g *onnxGraph) checkHeads() error {
	for _, h := range DetectorHeads() {
		i, made := g.maker[h.Tensor]
		if !made {
			return fmt.Errorf("no tensor %s", h.Tensor)
		}
		n := g.nodes[i]
		if n.op != "Conv" || len(n.inputs) < 2 {
			return fmt.Errorf("tensor %s is not made by a convolution", h.Tensor)
		}
		if d := g.weights[n.inputs[1]]; len(d) != 4 || d[0] != h.Channels {
			return fmt.Errorf("tensor %s has weights of shape %v, want %d channels", h.Tensor, d, h.Channels)
		}
	}
	return nil
}

// needed are the names of all tensors and constants that the heads depend on.
func (g *onnxGraph) needed() map[string]bool {
	needed := map[string]bool{}
	for _, h := range DetectorHeads() {
		needed[h.Tensor] = true
	}
	for _, n := range slices.Backward(g.nodes) {
		if !n.makesAny(needed) {
			continue
		}
		for _, in := range n.inputs {
			needed[in] = true
		}
	}
	return needed
}
