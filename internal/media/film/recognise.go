package film

import "io"

// The containers that are read.
const (
	containerMP4      = "mp4"
	containerMatroska = "matroska"
	containerAVI      = "avi"
	containerTS       = "mpegts"
	containerGIF      = "gif"
)

// Recognise tells a film by its bytes, whatever it is called: "mp4" (also MOV, M4V, 3GP), "matroska"
// (also WebM), "avi", "mpegts", "gif" (only an animated one). ok is false for anything else, a still
// picture and a playlist among them. It reads little more than the head, but of a GIF up to the second picture.
// Animated WebP is none, because ffmpeg 5.1 cannot decode it.
func Recognise(r io.ReaderAt, size int64) (container string, ok bool) {
	for name, is := range map[string]func(io.ReaderAt, int64) bool{
		containerMP4: isMP4, containerMatroska: isMatroska, containerAVI: isAVI, containerTS: isTS, containerGIF: isAnimatedGIF,
	} {
		if is(r, size) {
			return name, true
		}
	}
	return "", false
}

// head reads the first n bytes, fewer where the file has fewer.
func head(r io.ReaderAt, size int64, n int) []byte {
	b := make([]byte, min(int64(n), size))
	k, _ := r.ReadAt(b, 0) // what cannot be read is no film
	return b[:k]
}

// isMP4 is for files of ISO/IEC 14496-12 with a film in them, and for QuickTime's, which may begin with another box.
// HEIF and AVIF are pictures also where they move: their brands say what they are.
func isMP4(r io.ReaderAt, size int64) bool {
	b := head(r, size, 512)
	if len(b) < 12 {
		return false
	}
	switch string(b[4:8]) {
	case "ftyp":
		return !stillBrand(b)
	case "moov", "mdat", "wide", "free", "skip", "pnot":
		return hasMovie(r, size)
	}
	return false
}

// stillBrand says whether the brands of a file are those of pictures (ISO/IEC 23008-12 §10, AVIF 1.1 §6) or of
// Canon's raw pictures.
func stillBrand(b []byte) bool {
	end := min(int(be32(b)), len(b))
	for at := 8; at+4 <= end; at += 4 {
		switch string(b[at : at+4]) {
		case "avif", "avis", "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1", "crx ":
			return true
		}
	}
	return false
}

// hasMovie looks for the index of a film among the first boxes.
func hasMovie(r io.ReaderAt, size int64) bool {
	at := int64(0)
	for range 64 {
		b, err := readBox(r, at, size)
		if err != nil {
			return false
		}
		if b.kind == "moov" {
			return true
		}
		at = b.stop
	}
	return false
}

// isMatroska looks for EBML's mark and the type of document (RFC 8794 §8.1, RFC 9559 §4).
func isMatroska(r io.ReaderAt, size int64) bool {
	b := head(r, size, 64)
	return len(b) > 4 && string(b[:4]) == "\x1a\x45\xdf\xa3" && (contains(b, "\x42\x82\x88matroska") || contains(b, "\x42\x82\x84webm"))
}

func isAVI(r io.ReaderAt, size int64) bool {
	b := head(r, size, 16)
	return len(b) == 16 && string(b[:4]) == "RIFF" && (string(b[8:12]) == "AVI " || string(b[8:12]) == "AVIX")
}

// isTS looks for the head of each packet (ISO/IEC 13818-1 §2.4.3.2): of 188 bytes, or 192 with the
// four bytes of a time in front that cameras write, or 204 with sixteen of parity behind.
func isTS(r io.ReaderAt, size int64) bool {
	const packets, fewest = 16, 3
	for _, shape := range [][2]int{{188, 0}, {192, 4}, {204, 0}} {
		b := head(r, size, packets*shape[0])
		n := 0
		for at := shape[1]; at < len(b); at += shape[0] {
			if !isPacket(b[at:]) {
				n = 0
				break
			}
			n++
		}
		if n >= fewest {
			return true
		}
	}
	return false
}

// isPacket says whether there is the head of a packet: the sync byte, no error, and something in it. Of one that is
// cut off only what is there counts.
func isPacket(b []byte) bool {
	return b[0] == 0x47 && (len(b) < 4 || b[1]&0x80 == 0 && b[3]&0x30 != 0)
}
