"""systemd's ear: prints each message that comes to the datagram socket SOCKET, as a line of JSON."""
import json, os, socket, sys

ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind(sys.argv[1])
print(json.dumps('listening'), flush=True)
while True:
    message, ancillary, _, _ = ear.recvmsg(65536, socket.CMSG_SPACE(4))
    for _, kind, data in ancillary:
        if kind == socket.SCM_RIGHTS:
            for at in range(0, len(data), 4):
                os.close(int.from_bytes(data[at:at + 4], sys.byteorder))
    print(json.dumps(message.decode()), flush=True)
