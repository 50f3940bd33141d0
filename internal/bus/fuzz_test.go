package bus

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzParse: no bytes panic; what is refused is refused as ErrInvalid; what is taken is whole and
// means the same when written again.
func FuzzParse(f *testing.F) {
	j := job(1)
	for _, v := range []any{
		j,
		State{Version: StateVersion, Key: "k", Attempts: 2, Detail: []byte(`{}`)},
		DeadLetter{Version: DeadVersion, Job: &j, Seq: 1},
		Event{Version: EventVersion, Type: "released"},
		advisory{Stream: "JOBS", Seq: 7, Deliveries: 5},
		[]int{1},
	} {
		data, err := json.Marshal(v)
		ok(f, err)
		f.Add(data)
		f.Add(append(data, " x"...))
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var parsed Job
		if json.Unmarshal(data, &parsed) == nil {
			got, err := parseJob(parsed.subject(), data)
			again(t, got, err, func(data []byte) (Job, error) { return parseJob(parsed.subject(), data) })
		}
		_, err := parseJob("jobs.image.x", data)
		wantErr(t, err, ErrInvalid)
		st, err := parseState(Record{Key: "k", Value: data})
		again(t, st, err, func(data []byte) (State, error) { return parseState(Record{Key: "k", Value: data}) })
		d, err := parseDead(data)
		again(t, d, err, parseDead)
		e, err := parseEvent(data)
		again(t, e, err, parseEvent)
		a, err := parseAdvisory(data)
		again(t, a, err, parseAdvisory)
	})
}

func again[T any](t *testing.T, got T, err error, parse func([]byte) (T, error)) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, ErrInvalid) {
			t.Fatalf("%T: %v", got, err)
		}
		return
	}
	first, err := json.Marshal(got)
	ok(t, err)
	back, err := parse(first)
	ok(t, err)
	second, err := json.Marshal(back)
	ok(t, err)
	same(t, string(second), string(first))
}

func FuzzCheckVersion(f *testing.F) {
	for _, v := range []string{"2.15.2", "2.12.5-RC.1", "v3.0.0+x", "99999999999999999999.1.1", "", "2..5"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if err := checkVersion(v); err != nil && !errors.Is(err, ErrTooOld) {
			t.Fatal(err)
		}
	})
}

// TestKey: everything that is asked for counts, and the order and repetition of purposes does not.
func TestKey(t *testing.T) {
	seen := map[string]int{}
	for i, change := range []func(*Job){
		func(*Job) {},
		func(j *Job) { j.Kind = KindVideo },
		func(j *Job) { j.Asset = digestOf("other") },
		func(j *Job) { j.Order = nil },
		func(j *Job) { j.Purposes = []string{"press"} },
		func(j *Job) { j.Purposes = []string{"presswebsite"} },
		func(j *Job) { j.Purposes = []string{"p", "resswebsite"} },
	} {
		j := job(1)
		change(&j)
		if other, found := seen[j.Key()]; found {
			t.Errorf("jobs %d and %d have one key", other, i)
		}
		seen[j.Key()] = i
	}
	j := job(1)
	j.Purposes = []string{"website", "press", "website"}
	same(t, j.Key(), job(1).Key())
}
