package media

import "encoding/binary"

// MaxICC is the largest profile that is kept. Printer profiles with large tables reach 2.5 MB;
// camera and display profiles are below 10 kB.
const MaxICC = 4 << 20

// CheckICC says whether p is a profile as ICC.1:2022 §7 lays it out: the size field is its length,
// the signature stands, and every tag lies inside. No profile at all is fine. Texts inside of a
// profile (description, copyright, private tags) are kept with it; they describe the profile.
func CheckICC(p []byte) error {
	switch {
	case len(p) == 0:
		return nil
	case len(p) > MaxICC:
		return damaged("ICC profile of %d bytes, at most %d allowed", len(p), MaxICC)
	case len(p) < 132:
		return damaged("ICC profile of %d bytes", len(p))
	case int64(binary.BigEndian.Uint32(p)) != int64(len(p)):
		return damaged("ICC profile says %d bytes and has %d", binary.BigEndian.Uint32(p), len(p))
	case string(p[36:40]) != "acsp":
		return damaged("ICC profile without its signature")
	}
	return checkICCTags(p)
}

func checkICCTags(p []byte) error {
	n := int64(binary.BigEndian.Uint32(p[128:]))
	if 132+12*n > int64(len(p)) {
		return damaged("ICC profile with %d tags in %d bytes", n, len(p))
	}
	for i := range n {
		tag := p[132+12*i:]
		at, size := int64(binary.BigEndian.Uint32(tag[4:])), int64(binary.BigEndian.Uint32(tag[8:]))
		if at < 132+12*n || at+size > int64(len(p)) {
			return damaged("ICC profile with a tag outside of it")
		}
	}
	return nil
}
