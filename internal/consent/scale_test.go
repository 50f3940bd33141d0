package consent

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// The largest register that is planned for: 50,000 subjects with twelve records each.
const (
	largeSubjects = 50_000
	largeRecords  = 12
)

// largeFiles makes the two files of a large register, the rows of the second in no order.
func largeFiles(b *testing.B) (_ *testing.B, subjectsFile, consentsFile []byte) {
	b.Helper()
	var s, c bytes.Buffer
	s.WriteString("admission_number,year_group,class,born,joined,leaves,lookalikes\n")
	var rows []string
	purposes := recordPurposes()
	for i := range largeSubjects {
		fmt.Fprintf(&s, "S%05d,%d,7B,2013-05-06,2024-09-01,,\n", i, 1+i%13)
		for n := range largeRecords {
			rows = append(rows, fmt.Sprintf("S%05d,guardian,%s,granted,2025-%02d-%02d,2027-08-31,office,form-%d\n",
				i, purposes[n], 1+i%12, 1+i%28, i))
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
	c.WriteString("admission_number,party,purpose,decision,date,expires,recorded_by,evidence\n")
	for _, row := range rows {
		c.WriteString(row)
	}
	return b, s.Bytes(), c.Bytes()
}

func readLarge(b *testing.B, subjectsFile, consentsFile []byte) (SubjectsFile, ConsentsFile) {
	b.Helper()
	s, err := ReadSubjects(bytes.NewReader(subjectsFile), nil)
	if err != nil {
		b.Fatal(err)
	}
	known := make(map[string]bool, len(s.Subjects))
	for _, subject := range s.Subjects {
		known[subject.AdmissionNumber] = true
	}
	c, err := ReadConsents(bytes.NewReader(consentsFile), func(id string) bool { return known[id] })
	if err != nil {
		b.Fatal(err)
	}
	return s, c
}

func largeRegister(b *testing.B) (*Register, SubjectsFile, ConsentsFile) {
	b.Helper()
	s, c := readLarge(largeFiles(b))
	reg, err := NewRegister(1, s.Subjects, c.Records)
	if err != nil {
		b.Fatal(err)
	}
	return reg, s, c
}

func BenchmarkRead50000(b *testing.B) {
	_, subjects, consents := largeFiles(b)
	b.SetBytes(int64(len(subjects) + len(consents)))
	b.ReportAllocs()
	for b.Loop() {
		readLarge(b, subjects, consents)
	}
}

func BenchmarkWide50000(b *testing.B) {
	m := Mapping{Schema: MappingSchema, AdmissionNumber: "No", Date: "2025-09-01"}
	head, row := "No", ""
	for _, p := range PublicationPurposes() {
		m.Purposes = append(m.Purposes, PurposeColumn{Column: string(p), Purpose: p})
		head, row = head+","+string(p), row+",Yes"
	}
	var text bytes.Buffer
	fmt.Fprintln(&text, head)
	for i := range largeSubjects {
		fmt.Fprintf(&text, "S%05d%s\n", i, row)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseWide(bytes.NewReader(text.Bytes()), m, func(string) bool { return true }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewRegister50000(b *testing.B) {
	_, s, c := largeRegister(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewRegister(1, s.Subjects, c.Records); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWithOneOf50000(b *testing.B) {
	reg, _, _ := largeRegister(b)
	e, _ := reg.Entry("S00042")
	e.Records[0].Decision = Refused
	for b.Loop() {
		if _, err := reg.With(2, []Entry{e}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMerge50000(b *testing.B) {
	reg, s, c := largeRegister(b)
	other, err := NewRegister(1, s.Subjects, c.Records[:len(c.Records)/2])
	if err != nil {
		b.Fatal(err)
	}
	for name, from := range map[string]*Register{"same": reg, "half": other, "into nothing": nil} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				next, _, err := from.Merge(s.Subjects, c.Records)
				if err != nil || next.Digest() != reg.Digest() {
					b.Fatal("another register", err)
				}
			}
		})
	}
}
