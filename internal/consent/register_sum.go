package consent

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// entryHash is the SHA-256 of one entry.
type entryHash = [sha256.Size]byte

// sumEntry digests an entry. Each part is written with its length, and each list with its count, so
// that no two entries are written the same. (The JSON form would take four times as long: at fifty
// thousand subjects, more than reading the file.) The buffer is scratch space to be handed in again.
func sumEntry(e *Entry, scratch []byte) (sum entryHash, _ []byte) {
	s := &e.Subject
	b := scratch[:0]
	for _, part := range []string{s.AdmissionNumber, s.YearGroup, s.Class, string(s.Born), string(s.Joined), string(s.Leaves)} {
		b = addPart(b, part)
	}
	b = binary.AppendUvarint(b, uint64(len(s.Lookalikes)))
	for _, id := range s.Lookalikes {
		b = addPart(b, id)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Records)))
	for i := range e.Records {
		b = addRecord(b, &e.Records[i])
	}
	return sha256.Sum256(b), b
}

func addRecord(b []byte, r *Record) []byte {
	b = addPart(b, string(r.Party))
	b = addPart(b, string(r.Purpose))
	b = addPart(b, string(r.Decision))
	b = addPart(b, string(r.Date))
	b = addPart(b, string(r.Expires))
	b = addPart(b, r.RecordedBy)
	return addPart(b, r.Evidence)
}

func addPart(b []byte, part string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// sumNodes digests a shard from the digests of its entries, in the order of their numbers.
func sumNodes(nodes map[string]*node) (sum [sha256.Size]byte) {
	hash := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(nodes)) {
		hash.Write(nodes[key].sum[:])
	}
	hash.Sum(sum[:0])
	return sum
}

// digestOf digests a register from the digests of its shards; an empty one counts as zeros.
func digestOf(shards *[shardCount]*shard) string {
	hash := sha256.New()
	var zeros [sha256.Size]byte
	for _, s := range shards {
		if s == nil {
			hash.Write(zeros[:])
			continue
		}
		hash.Write(s.sum[:])
	}
	return hex.EncodeToString(hash.Sum(nil))
}
