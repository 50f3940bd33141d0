package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/consentry/consentry/pipeline"
)

// Serve is the child's side: it answers requests from in on out with v's answers, one after the
// other, until in ends. Where v is a pipeline.Cinema too it answers calls about films, with word of
// how far they are. It ends without an answer when ctx does. What v returns as an error goes to the parent; Serve itself fails only when the
// two are out of step.
func Serve(ctx context.Context, in io.Reader, out io.Writer, v pipeline.Vision) error {
	reader, writer := bufio.NewReaderSize(in, 1<<16), bufio.NewWriterSize(out, 1<<16)
	for {
		var q request
		body, err := readFrame(reader, &q)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		teller := &teller{to: writer}
		r, file, err := answerTo(ctx, v, q, body, teller)
		if ctx.Err() != nil { // ended from outside: that must not look like an answer about the file
			return fmt.Errorf("answering: %w", ctx.Err())
		}
		if err != nil {
			r, file = response{Error: toWire(err)}, nil
		}
		if err := teller.finish(); err != nil {
			return fmt.Errorf("telling how far it is: %w", err)
		}
		if err := writeFrame(writer, r, file); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
		if err := writer.Flush(); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
}

func answerTo(ctx context.Context, v pipeline.Vision, q request, body []byte, t *teller) (r response, file []byte, err error) {
	if q.Film != nil {
		return answerFilm(ctx, v, q.Call, *q.Film, t)
	}
	switch q.Call {
	case callDecode:
		r.Info, err = v.Decode(ctx, body)
	case callFind:
		r.Faces, err = v.Find(ctx)
	case callDescribe:
		r.Faces, err = v.Describe(ctx, q.Faces)
	case callObscure:
		var d pipeline.Derivative
		d, err = v.Obscure(ctx, q.Regions, q.Style)
		r.Changed, file = d.Changed, d.Data
	case callInspect:
		var s pipeline.Sighting
		s, err = v.Inspect(ctx, pipeline.Derivative{Data: body, Changed: q.Changed})
		r.Info, r.Faces, r.Outside = s.Info, s.Faces, s.Outside
	case callThumbnail:
		file, err = v.Thumbnail(ctx, body)
	case callPortrait:
		file, err = v.Portrait(ctx, q.Box)
	default:
		err = fmt.Errorf("unknown call %q", q.Call)
	}
	return r, file, err
}
