package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
	xdraw "golang.org/x/image/draw"

	"github.com/consentry/consentry/internal/demo"
	"github.com/consentry/consentry/internal/media/mediatest"
)

// layout DIR lays out the demonstration: event/, register/ and references/.
func layout(ts *testscript.TestScript, _ bool, args []string) {
	_, err := demo.Prepare(filepath.Join(ts.Getenv("MODELS"), "samples"), ts.MkAbs(args[0]))
	ts.Check(err)
}

// sample N PATH copies a sample photograph.
func sample(ts *testscript.TestScript, _ bool, args []string) {
	data, err := os.ReadFile(filepath.Join(ts.Getenv("MODELS"), "samples", "sample"+args[0]+".jpg"))
	ts.Check(err)
	write(ts, args[1], data)
}

// crop FROM X Y W H TO cuts a part out; the format is that of TO's ending.
func crop(ts *testscript.TestScript, _ bool, args []string) {
	n := numbers(ts, args[1:5])
	part := image.NewRGBA(image.Rect(0, 0, n[2], n[3]))
	draw.Draw(part, part.Bounds(), read(ts, args[0]), image.Pt(n[0], n[1]), draw.Src)
	encode(ts, args[5], part)
}

// beside A B TO puts two pictures beside each other.
func beside(ts *testscript.TestScript, _ bool, args []string) {
	a, b := read(ts, args[0]), read(ts, args[1])
	both := image.NewRGBA(image.Rect(0, 0, a.Bounds().Dx()+b.Bounds().Dx(), max(a.Bounds().Dy(), b.Bounds().Dy())))
	draw.Draw(both, a.Bounds(), a, image.Point{}, draw.Src)
	draw.Draw(both, b.Bounds().Add(image.Pt(a.Bounds().Dx(), 0)), b, image.Point{}, draw.Src)
	encode(ts, args[2], both)
}

// scale FROM WIDTH TO makes a picture of that width.
func scale(ts *testscript.TestScript, _ bool, args []string) {
	encode(ts, args[2], scaled(read(ts, args[0]), numbers(ts, args[1:2])[0]))
}

// soften FROM WIDTH TO scales down to the width and up again, so that no detail is left.
func soften(ts *testscript.TestScript, _ bool, args []string) {
	whole := read(ts, args[0])
	small := scaled(whole, numbers(ts, args[1:2])[0])
	encode(ts, args[2], scaled(small, whole.Bounds().Dx()))
}

func scaled(src image.Image, width int) image.Image {
	b := src.Bounds()
	dst := image.NewRGBA(image.Rect(0, 0, width, b.Dy()*width/b.Dx()))
	xdraw.CatmullRom.Scale(dst, dst.Bounds(), src, b, xdraw.Src, nil)
	return dst
}

// plain W H SEED TO makes a picture without faces.
func plain(ts *testscript.TestScript, _ bool, args []string) {
	n := numbers(ts, args[:3])
	img := image.NewRGBA(image.Rect(0, 0, n[0], n[1]))
	for y := range n[1] {
		for x := range n[0] {
			img.SetRGBA(x, y, color.RGBA{uint8(x/4 + n[2]), uint8(y / 4), uint8(n[2] * 40), 255})
		}
	}
	encode(ts, args[3], img)
}

// animated TO makes a GIF of two pictures, or a PNG that says that it has more than one.
func animated(ts *testscript.TestScript, _ bool, args []string) {
	if filepath.Ext(args[0]) == ".png" {
		var still bytes.Buffer
		ts.Check(png.Encode(&still, image.NewGray(image.Rect(0, 0, 40, 30))))
		write(ts, args[0], mediatest.InPNG(still.Bytes(), mediatest.PNGChunk("acTL", make([]byte, 8))))
		return
	}
	frame := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	ts.Check(gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{10, 10}}))
	write(ts, args[0], b.Bytes())
}

// bomb jpeg|png TO makes a file whose header claims more than any memory holds: 65,535 × 65,535
// pixels, or a PNG of 10 GB.
func bomb(ts *testscript.TestScript, _ bool, args []string) {
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	var b bytes.Buffer
	if args[0] == "jpeg" {
		ts.Check(jpeg.Encode(&b, img, nil))
		data := b.Bytes()
		frame := bytes.Index(data, []byte{0xff, 0xc0})
		copy(data[frame+5:], []byte{0xff, 0xff, 0xff, 0xff})
		write(ts, args[1], data)
		return
	}
	ts.Check(png.Encode(&b, img))
	const afterHeader = 8 + 12 + 13
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 36_000), 36_000)
	header = append(header, 16, 6, 0, 0, 0) // 8 bytes a pixel
	data := append(bytes.Clone(b.Bytes()[:8]), mediatest.PNGChunk("IHDR", header)...)
	write(ts, args[1], append(data, b.Bytes()[afterHeader:]...))
}

// cut FROM BYTES TO keeps the beginning of a file.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	write(ts, args[2], []byte(ts.ReadFile(args[0]))[:numbers(ts, args[1:2])[0]])
}

// flip FILE alters one bit in the middle.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	data[len(data)/2] ^= 1
	ts.Check(os.Remove(ts.MkAbs(args[0]))) // it may be a link to a file that is not ours
	write(ts, args[0], data)
}

// named FROM NAME TO writes a name into a JPEG's EXIF.
func named(ts *testscript.TestScript, _ bool, args []string) {
	exif := append([]byte("Exif\x00\x00"), mediatest.EXIF(1, args[1])...)
	write(ts, args[2], mediatest.InJPEG([]byte(ts.ReadFile(args[0])), mediatest.JPEGSegment(0xe1, exif)))
}

func numbers(ts *testscript.TestScript, args []string) []int {
	list := make([]int, len(args))
	for i, a := range args {
		n, err := strconv.Atoi(a)
		ts.Check(err)
		list[i] = n
	}
	return list
}

func read(ts *testscript.TestScript, path string) image.Image {
	img, _, err := image.Decode(bytes.NewReader([]byte(ts.ReadFile(path))))
	if err != nil {
		ts.Fatalf("%s: %v", path, err)
	}
	return img
}

func write(ts *testscript.TestScript, path string, data []byte) {
	path = ts.MkAbs(path)
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	ts.Check(os.WriteFile(path, data, 0o644))
}

func encode(ts *testscript.TestScript, path string, img image.Image) {
	var b bytes.Buffer
	switch filepath.Ext(path) {
	case ".png":
		ts.Check(png.Encode(&b, img))
	case ".gif":
		ts.Check(gif.Encode(&b, img, nil))
	default:
		ts.Check(jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}))
	}
	write(ts, path, b.Bytes())
}
