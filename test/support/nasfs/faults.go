package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// faults are read anew from a control file at each operation, so that a test can change them at any time.
// A line is "OPERATION ERRNO [NTH]" or "OPERATION hang"; OPERATION may be "any". "bandwidth MB" is another cap.
type faults struct {
	path string

	mu   sync.Mutex
	text string
	seen map[string]int
}

// bandwidth is the cap, in MB/s, that the control file names; else the one given.
func (f *faults) bandwidth(given float64) float64 {
	text, _ := os.ReadFile(f.path)
	for _, line := range strings.Split(string(text), "\n") {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "bandwidth" {
			if cap, err := strconv.ParseFloat(words[1], 64); err == nil {
				return cap
			}
		}
	}
	return given
}

// next says what an operation is to answer, "" for nothing special. With NTH, only the so-manieth operation of
// that line since the file was last changed fails.
func (f *faults) next(op string) string {
	if f.path == "" {
		return ""
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil || string(text) != f.text {
		f.text, f.seen = string(text), map[string]int{}
	}
	for _, line := range strings.Split(f.text, "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || (words[0] != op && words[0] != "any") {
			continue
		}
		f.seen[line]++
		if len(words) > 2 {
			if nth, _ := strconv.Atoi(words[2]); f.seen[line] != nth {
				continue
			}
		}
		return words[1]
	}
	return ""
}

// wait answers with the fault that the control file names for an operation, or OK. A "hang" lasts until its line
// is gone or the caller is killed.
func (f *faults) wait(cancel <-chan struct{}, op string) fuse.Status {
	what := f.next(op)
	for ; what == "hang"; what = f.next(op) {
		select {
		case <-cancel:
			return fuse.EINTR
		case <-time.After(50 * time.Millisecond):
		}
	}
	if what == "" {
		return fuse.OK
	}
	return errno(what)
}

// errno finds an error by its name; an unknown one is EIO.
func errno(name string) fuse.Status {
	for e := syscall.Errno(1); e < 134; e++ {
		if unix.ErrnoName(e) == name {
			return fuse.Status(e)
		}
	}
	return fuse.EIO
}
