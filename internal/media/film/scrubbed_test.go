package film

import (
	"os"
	"testing"
)

func checkFile(t testing.TB, path string) error {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return CheckScrubbed(f, stat.Size())
}
