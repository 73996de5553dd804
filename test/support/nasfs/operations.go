package main

import (
	"os"
	"sync"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// nas serves a folder with the pace and the faults of a NAS. Operations: lookup getattr setattr mkdir unlink rmdir
// rename link create open read write flush fsync fsyncdir opendir statfs.
type nas struct {
	fuse.RawFileSystem
	latency   time.Duration
	bandwidth float64 // MB/s over all reads and writes; 0 is no cap
	faults    faults
	served    *os.File // gets a line for each operation; nil where nobody asks

	lineMu   sync.Mutex
	lineFree time.Time
}

// Init keeps the server from the loopback's bridge: with it, reads and writes would go past us (FUSE passthrough).
func (n *nas) Init(*fuse.Server) {}

// wait delays an operation as the NAS would, and says how it fails, if it does.
func (n *nas) wait(cancel <-chan struct{}, op string) fuse.Status {
	return n.waitFor(cancel, op, 0)
}

func (n *nas) waitFor(cancel <-chan struct{}, op string, size int) fuse.Status {
	time.Sleep(n.latency)
	if n.bandwidth > 0 && size > 0 {
		if cap := n.faults.bandwidth(n.bandwidth); cap > 0 {
			time.Sleep(time.Until(n.reserve(size, cap)))
		}
	}
	if n.served != nil {
		n.served.WriteString(op + "\n")
	}
	return n.faults.wait(cancel, op)
}

// reserve queues so many bytes on the line, and says when the last of them has passed.
func (n *nas) reserve(size int, bandwidth float64) time.Time {
	n.lineMu.Lock()
	defer n.lineMu.Unlock()
	if now := time.Now(); n.lineFree.Before(now) {
		n.lineFree = now
	}
	n.lineFree = n.lineFree.Add(time.Duration(float64(size) / (bandwidth * 1e6) * float64(time.Second)))
	return n.lineFree
}

func (n *nas) Lookup(c <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	if s := n.wait(c, "lookup"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Lookup(c, h, name, out)
}

func (n *nas) GetAttr(c <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if s := n.wait(c, "getattr"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.GetAttr(c, in, out)
}

func (n *nas) SetAttr(c <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if s := n.wait(c, "setattr"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.SetAttr(c, in, out)
}

func (n *nas) Mkdir(c <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	if s := n.wait(c, "mkdir"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Mkdir(c, in, name, out)
}

func (n *nas) Unlink(c <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	if s := n.wait(c, "unlink"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Unlink(c, h, name)
}

func (n *nas) Rmdir(c <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	if s := n.wait(c, "rmdir"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Rmdir(c, h, name)
}

func (n *nas) Rename(c <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	if s := n.wait(c, "rename"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Rename(c, in, from, to)
}

func (n *nas) Link(c <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	if s := n.wait(c, "link"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Link(c, in, name, out)
}

func (n *nas) Create(c <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	if s := n.wait(c, "create"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Create(c, in, name, out)
}

func (n *nas) Open(c <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if s := n.wait(c, "open"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Open(c, in, out)
}

func (n *nas) Read(c <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	if s := n.waitFor(c, "read", int(in.Size)); s != fuse.OK {
		return nil, s
	}
	return n.RawFileSystem.Read(c, in, buf)
}

func (n *nas) Write(c <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	if s := n.waitFor(c, "write", len(data)); s != fuse.OK {
		return 0, s
	}
	return n.RawFileSystem.Write(c, in, data)
}

// Writev is not offered, so that the server calls Write.
func (n *nas) Writev(<-chan struct{}, *fuse.WriteIn, [][]byte) (uint32, fuse.Status) {
	return 0, fuse.ENOSYS
}

func (n *nas) Flush(c <-chan struct{}, in *fuse.FlushIn) fuse.Status {
	if s := n.wait(c, "flush"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Flush(c, in)
}

func (n *nas) Fsync(c <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if s := n.wait(c, "fsync"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.Fsync(c, in)
}

func (n *nas) FsyncDir(c <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if s := n.wait(c, "fsyncdir"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.FsyncDir(c, in)
}

func (n *nas) OpenDir(c <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if s := n.wait(c, "opendir"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.OpenDir(c, in, out)
}

func (n *nas) StatFs(c <-chan struct{}, in *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	if s := n.wait(c, "statfs"); s != fuse.OK {
		return s
	}
	return n.RawFileSystem.StatFs(c, in, out)
}
