package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/register"
)

// RegisterCosts is what the durable register costs on the embedded server, every write flushed.
type RegisterCosts struct {
	Subjects, Records int
	Import            time.Duration // into an empty register
	Unchanged         time.Duration // the same once more
	Replaced          time.Duration // every record changed, so that every page is written and its predecessor erased
	Load              time.Duration // by a process that begins
	Heard             time.Duration // from Set to the follower who has it, on average
	HeardLongest      time.Duration
}

// withdrawals is how many changes a follower is timed with.
const withdrawals = 20

// MeasureRegister imports so many subjects with so many records each into a new store below dir, and
// changes them.
func MeasureRegister(ctx context.Context, dir string, subjects, recordsEach int) (_ RegisterCosts, err error) {
	b, err := bus.Open(ctx, bus.Options{StoreDir: dir})
	if err != nil {
		return RegisterCosts{}, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	c := RegisterCosts{Subjects: subjects, Records: subjects * recordsEach}
	people, records := pupils(subjects, recordsEach)
	store := register.New(b.Register())
	imports := func() error { _, _, err := store.Import(ctx, people, records); return err }
	if c.Import, err = timed(imports); err != nil {
		return c, err
	}
	if c.Unchanged, err = timed(imports); err != nil {
		return c, err
	}
	for i := range records {
		records[i].Evidence += " (again)"
	}
	if c.Replaced, err = timed(imports); err != nil {
		return c, err
	}
	c.Load, err = timed(func() error { _, err := register.New(b.Register()).Load(ctx); return err })
	if err != nil {
		return c, err
	}
	return c, c.follow(ctx, store, register.New(b.Register()))
}

func timed(do func() error) (time.Duration, error) {
	begin := time.Now()
	err := do()
	return time.Since(begin), err
}

// pupils are made-up subjects. Every record is of another party, purpose or day.
func pupils(n, recordsEach int) ([]consent.Subject, []consent.Record) {
	purposes := consent.PublicationPurposes()
	var subjects []consent.Subject
	var records []consent.Record
	for i := range n {
		id := fmt.Sprint(10_000 + i)
		subjects = append(subjects, consent.Subject{AdmissionNumber: id, YearGroup: fmt.Sprint(1 + i%13), Class: fmt.Sprint(1+i%13, "B"), Born: "2012-03-04"})
		for j := range recordsEach {
			records = append(records, consent.Record{
				AdmissionNumber: id, Party: consent.Guardian, Purpose: purposes[j%len(purposes)], Decision: consent.Answers()[(i+j)%3],
				Date: consent.Date(fmt.Sprintf("%d-09-%02d", 2010+j/len(purposes)%15, 1+(i+j)%28)), RecordedBy: "office", Evidence: fmt.Sprintf("form %d-%d", i, j),
			})
		}
	}
	return subjects, records
}

// follow times withdrawals from the call to the follower who knows of them.
func (c *RegisterCosts) follow(ctx context.Context, writer, reader *register.Store) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var begun time.Time
	day := consent.DateOf(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	heard := -1
	for _, err := range reader.Follow(ctx) {
		if err != nil {
			return err
		}
		if heard++; heard > 0 {
			took := time.Since(begun)
			c.Heard += took / withdrawals
			c.HeardLongest = max(c.HeardLongest, took)
		}
		if heard == withdrawals {
			break
		}
		begun = time.Now()
		if _, err := writer.Set(ctx, consent.Record{
			AdmissionNumber: fmt.Sprint(10_000 + heard), Party: consent.Guardian, Purpose: consent.AnyPurpose, Decision: consent.Withdrawn, Date: day,
		}); err != nil {
			return err
		}
	}
	return nil
}

// Print writes a table.
func (c RegisterCosts) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%d subjects, %d records\tms\t\n", c.Subjects, c.Records)
	for _, line := range []struct {
		name string
		took time.Duration
	}{
		{"import", c.Import},
		{"import the same again", c.Unchanged},
		{"import with every record changed", c.Replaced},
		{"load", c.Load},
		{"a withdrawal until a follower has it", c.Heard},
		{fmt.Sprintf("the longest of %d", withdrawals), c.HeardLongest},
	} {
		fmt.Fprintf(t, "%s\t%.0f\t\n", line.name, ms(line.took))
	}
	return t.Flush()
}
