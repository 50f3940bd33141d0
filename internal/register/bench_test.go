package register

import (
	"fmt"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/consent"
)

// sizes are subjects and records each: the 50,000 rows, and a large school group with a
// record for every purpose.
func sizes() [][2]int { return [][2]int{{50_000, 1}, {50_000, 12}} }

func BenchmarkImport(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			subjects, records := school(size[0], size[1])
			for b.Loop() {
				b.StopTimer()
				s := New(fresh(b).Register())
				b.StartTimer()
				_, _, err := s.Import(limit(b), subjects, records)
				ok(b, err)
			}
		})
	}
}

// BenchmarkReimport changes one record of every subject, so that every page is replaced and erased.
func BenchmarkReimport(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			subjects, records := school(size[0], size[1])
			s := New(fresh(b).Register())
			_, _, err := s.Import(limit(b), subjects, records)
			ok(b, err)
			n := 0
			for b.Loop() {
				n++
				for i := range records {
					records[i].Evidence = fmt.Sprintf("form %d of %d", i, n)
				}
				_, _, err := s.Import(limit(b), subjects, records)
				ok(b, err)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			subjects, records := school(size[0], size[1])
			bus := fresh(b)
			_, _, err := New(bus.Register()).Import(limit(b), subjects, records)
			ok(b, err)
			for b.Loop() {
				_, err := New(bus.Register()).Load(limit(b))
				ok(b, err)
			}
		})
	}
}

// BenchmarkSetAndFollow is one withdrawal, from the call to the follower who has it.
func BenchmarkSetAndFollow(b *testing.B) {
	for _, size := range sizes() {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			subjects, records := school(size[0], size[1])
			bus := fresh(b)
			_, _, err := New(bus.Register()).Import(limit(b), subjects, records)
			ok(b, err)
			writer, reader := New(bus.Register()), New(bus.Register())
			seen := make(chan uint64)
			go func() {
				defer close(seen)
				for reg, err := range reader.Follow(b.Context()) {
					if err != nil {
						return
					}
					seen <- reg.Revision()
				}
			}()
			revision := <-seen
			_, err = writer.Load(limit(b))
			ok(b, err)
			day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			var longest time.Duration
			for b.Loop() {
				day = day.AddDate(0, 0, 1)
				begin := time.Now()
				reg, err := writer.Set(limit(b), says("1234", consent.Withdrawn, string(consent.DateOf(day))))
				ok(b, err)
				for revision < reg.Revision() {
					revision = <-seen
				}
				longest = max(longest, time.Since(begin))
			}
			b.ReportMetric(longest.Seconds()*1000, "ms-longest")
		})
	}
}
