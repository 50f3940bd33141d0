package vision

// #cgo pkg-config: opencv4
// void consentry_one_thread(void);
import "C"

// OneThread makes OpenCV run everything in the thread that calls it, for the rest of the process.
// (gocv v0.31 has no call for it, and OpenCV 4.6 built with TBB heeds no environment variable.)
func OneThread() { C.consentry_one_thread() }
