package bus

import (
	"fmt"
	"strconv"
	"strings"
)

// minVersion is the first server without the two bugs that lose work-queue messages
// (nats-server #7845 and #8156).
const minVersion = "2.12.5"

// checkVersion refuses servers older than minVersion, release candidates of it, and versions that
// cannot be read.
func checkVersion(v string) error {
	have, pre, err := parseVersion(v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTooOld, err)
	}
	want, _, err := parseVersion(minVersion)
	if err != nil {
		return err
	}
	for i := range want {
		if have[i] > want[i] {
			return nil
		}
		if have[i] < want[i] {
			return fmt.Errorf("%w: it is %q, needed is %s", ErrTooOld, v, minVersion)
		}
	}
	if pre {
		return fmt.Errorf("%w: %q comes before %s", ErrTooOld, v, minVersion)
	}
	return nil
}

// parseVersion reads "2.15.2", "v2.15.2-RC.1" or "2.15.2+build".
func parseVersion(v string) (n [3]int, pre bool, err error) {
	core, _, _ := strings.Cut(strings.TrimPrefix(v, "v"), "+")
	core, _, pre = strings.Cut(core, "-")
	parts := strings.Split(core, ".")
	if len(parts) != len(n) {
		return n, pre, fmt.Errorf("server version %q is not of the form 1.2.3", v)
	}
	for i, p := range parts {
		if n[i], err = strconv.Atoi(p); err != nil || n[i] < 0 {
			return n, pre, fmt.Errorf("server version %q is not of the form 1.2.3", v)
		}
	}
	return n, pre, nil
}
