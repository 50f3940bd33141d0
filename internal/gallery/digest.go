package gallery

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/consentry/consentry/internal/face"
)

// digestOnce works the digest out when it is first asked for: a gallery that grows by one
// reference at a time is asked only at the end.
func digestOnce(t table, th Thresholds) func() string {
	return sync.OnceValue(func() string {
		entries := make([]string, 0, t.count)
		for at := range int32(t.count) {
			r := t.row(at)
			entries = append(entries, string(r.entry[:]))
		}
		slices.Sort(entries)
		sum := sha256.Sum256([]byte(fmt.Sprintf("gallery 2 %+v\n", th) + strings.Join(entries, "")))
		return hex.EncodeToString(sum[:])
	})
}

// entry names one reference with all that it holds. Each part has its length in front, so that
// neighbours cannot run into each other.
func (r Reference) entry() [sha256.Size]byte {
	b := make([]byte, 0, 256+4*(dlibLength+mobileLength))
	b = appendText(b, r.Subject)
	b = appendText(b, r.Digest)
	for _, d := range []face.Describer{face.DlibResNet, face.MobileFaceNet} {
		v := r.Templates[d]
		b = binary.LittleEndian.AppendUint64(appendText(b, string(d)), uint64(len(v)))
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
	}
	return sha256.Sum256(b)
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}
