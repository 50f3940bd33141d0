// Package pathless takes paths out of errors: the paths of a school's files hold names of people,
// and error texts end up in logs and on the bus. Only the command line names a file, to its user.
package pathless

import (
	"errors"
	"io/fs"
	"os"
)

// Error is the cause of an error of package os, without the path; any other error as it is.
func Error(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	if e := (*os.LinkError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
