package raster

// ycc is the conversion of JFIF 1.02 (BT.601, full range), in 16 fractional bits.
func ycc(y, cb, cr uint8) (r, g, b uint8) {
	l, u, v := int(y)<<16+1<<15, int(cb)-128, int(cr)-128
	return clamp((l + 91881*v) >> 16), clamp((l - 22554*u - 46802*v) >> 16), clamp((l + 116130*u) >> 16)
}

// toYCC is its inverse.
func toYCC(r, g, b uint8) (y, cb, cr uint8) {
	const half = 1 << 15
	ri, gi, bi := int(r), int(g), int(b)
	return clamp((19595*ri + 38470*gi + 7471*bi + half) >> 16),
		clamp((-11059*ri - 21709*gi + 32768*bi + 128<<16 + half - 1) >> 16),
		clamp((32768*ri - 27439*gi - 5329*bi + 128<<16 + half - 1) >> 16)
}

// video is the conversion that VP8 uses (BT.601, 16–235), in 16 fractional bits.
func video(y, cb, cr uint8) (r, g, b uint8) {
	l, u, v := 76309*(int(y)-16)+1<<15, int(cb)-128, int(cr)-128
	return clamp((l + 104597*v) >> 16), clamp((l - 25675*u - 53279*v) >> 16), clamp((l + 132201*u) >> 16)
}

func clamp(v int) uint8 {
	return uint8(max(0, min(255, v)))
}
