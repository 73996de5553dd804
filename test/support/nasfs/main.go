// nasfs mounts a folder again with the latency and the faults of a NAS, until its standard input ends:
//
//	nasfs [-latency 1ms] [-bandwidth 0] [-control FILE] [-served FILE] BACKING MOUNTPOINT
//
// Every operation waits -latency before it is served, many at a time, as a network file system's round trips do.
// -bandwidth caps reads and writes, in MB/s over all of them; where it does, a line "bandwidth MB" in the control file
// is another cap, 0 none. While the control file holds a line
// "OPERATION ERRNO" (write ENOSPC, fsync EIO, rename ESTALE, any EIO), those operations fail with it; with a number
// ("write ENOSPC 7") only the 7th since the file was last changed does; "OPERATION hang" makes them wait until the
// line is gone or the caller is killed. operations.go names the operations. Each one served adds its name to -served, a
// line an operation, before it is known whether it fails.
//
// That it ends with its standard input means that no mount outlives the test that made it.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

func main() {
	latency := flag.Duration("latency", time.Millisecond, "wait before each operation")
	bandwidth := flag.Float64("bandwidth", 0, "MB/s over all reads and writes; 0 is no cap")
	control := flag.String("control", "", "file whose lines make operations fail or hang")
	served := flag.String("served", "", "file to add the name of each operation to")
	flag.Parse()
	// They reach the whole group of a test that is stopped; the end of the input says the same, and unmounts.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	backing, mountpoint := flag.Arg(0), flag.Arg(1)
	// The creator's umask was applied by the kernel already.
	syscall.Umask(0)
	root, err := fs.NewLoopbackRoot(backing)
	if err != nil {
		log.Fatal(err)
	}
	second := time.Second
	raw := fs.NewNodeFS(root, &fs.Options{EntryTimeout: &second, AttrTimeout: &second})
	nas := &nas{RawFileSystem: raw, latency: *latency, bandwidth: *bandwidth, faults: faults{path: *control}}
	if *served != "" {
		if nas.served, err = os.OpenFile(*served, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
			log.Fatal(err)
		}
	}
	server, err := fuse.NewServer(nas, mountpoint, &fuse.MountOptions{
		FsName: "nasfs", Name: "nasfs", AllowOther: true, DirectMount: true, MaxWrite: 1 << 20, MaxBackground: 128,
	})
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve()
	if err := server.WaitMount(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("mounted", mountpoint)
	io.Copy(io.Discard, os.Stdin)
	// Lazily, since a caller may hang in it; the connection, and with it every hanging call, ends with this process.
	if err := unix.Unmount(mountpoint, unix.MNT_DETACH); err != nil {
		log.Fatal(err)
	}
}
