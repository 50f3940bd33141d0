package film

import (
	"fmt"
	"strings"
	"time"
)

// filters are what happens to a frame on its way: to even size, to 8 bit and limited range, past the printer of time
// stamps, and, where it lies before the part, away.
func filters(info Info, part Part) string {
	w, h := info.shown()
	chain := []string{
		// A picture of another size has no width: the filter fails, and ffmpeg with it.
		fmt.Sprintf(`crop=w=if(eq(in_w\,%d)*eq(in_h\,%d)\,%d\,-1):h=%d:x=0:y=0`, w, h, info.Width, info.Height),
	}
	chain = append(chain, info.Colour.conversion()...)
	chain = append(chain, "settb=1/1000000", "metadata=mode=add:key=k:value=1",
		`metadata=mode=print:key=k:direct=1:file=pipe\\:3`)
	if part.From > 0 {
		chain = append(chain, fmt.Sprintf("trim=start_pts=%d", part.From/time.Microsecond))
	}
	return strings.Join(chain, ",")
}

// conversion makes samples 8 bit, 4:2:0 and of limited range.
func (c Colour) conversion() []string {
	switch {
	case c.HDR:
		return []string{
			fmt.Sprintf("zscale=tin=%s:min=%s:pin=%s:rin=%s:t=linear:npl=100", c.Transfer,
				known(c.Space, "bt2020nc", "bt709", "bt2020nc", "bt2020c"), known(c.Primaries, "bt2020", "bt709", "bt2020"), c.rangeName()),
			"format=gbrpf32le", "zscale=p=bt709", "tonemap=hable:desat=0", "zscale=t=bt709:m=bt709:r=tv", "format=yuv420p",
		}
	case c.Space == spaceRGB:
		return []string{"scale=out_color_matrix=bt709:out_range=tv", "format=yuv420p"}
	case c.Full:
		return []string{"scale=in_range=pc:out_range=tv", "format=yuv420p"}
	}
	return []string{"format=yuv420p"}
}

func (c Colour) rangeName() string {
	if c.Full {
		return "pc"
	}
	return "tv"
}

// known is the name where it is one of names, and otherwise the one that is usual.
func known(name, usual string, names ...string) string {
	for _, n := range names {
		if n == name {
			return name
		}
	}
	return usual
}

// spaceRGB is ffmpeg's name for samples that are red, green and blue.
const spaceRGB = "gbr"

// tags are the arguments that say how the encoder's samples are to be understood. What the source does not say
// stays unsaid, so that players guess as they would for the source.
func (c Colour) tags() []string {
	space, transfer, primaries := c.Space, c.Transfer, c.Primaries
	if c.HDR || space == spaceRGB {
		space, transfer, primaries = "bt709", "bt709", "bt709"
	}
	args := []string{"-color_range", "tv"}
	for _, tag := range [][2]string{{"-colorspace", space}, {"-color_trc", transferOption(transfer)}, {"-color_primaries", primaries}} {
		if tag[1] != "" {
			args = append(args, tag[0], tag[1])
		}
	}
	return args
}

// transferOption is what ffmpeg's option calls the transfer that ffprobe names.
func transferOption(name string) string {
	switch name {
	case "bt470m":
		return "gamma22"
	case "bt470bg":
		return "gamma28"
	}
	return name
}
