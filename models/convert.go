package models

import "fmt"

// Conversions, as the manifest names them.
const (
	convertNone         = "none"
	convertResNet       = "dlib-resnet"        // TFJS weights manifest, TFJS binary
	convertCutDetector  = "cut-detector"       // RFB-320 as exported to ONNX
	convertDetectorStub = "dlib-detector-stub" // from nothing
)

// conversion makes a file out of its sources. A nil run takes the one source as it is.
type conversion struct {
	sources int
	run     func(sources [][]byte) ([]byte, error)
}

func conversionFor(name string) (conversion, error) {
	switch name {
	case convertNone:
		return conversion{sources: 1}, nil
	case convertResNet:
		return conversion{2, func(s [][]byte) ([]byte, error) { return resNetFromTFJS(s[0], s[1]) }}, nil
	case convertCutDetector:
		return conversion{1, func(s [][]byte) ([]byte, error) { return CutDetector(s[0]) }}, nil
	case convertDetectorStub:
		return conversion{0, func([][]byte) ([]byte, error) { return detectorStub(), nil }}, nil
	}
	return conversion{}, fmt.Errorf("unknown conversion %q", name)
}
