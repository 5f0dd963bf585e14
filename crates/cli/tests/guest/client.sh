# Asks fifty times a second for a while; prints requests and failures.
cat >/tmp/plimsoll-test-client.py <<'P'
import socket, time
asked = failed = 0
end = time.time() + 20
while time.time() < end:
    asked += 1
    try:
        with socket.create_connection(("api", 8080), 2) as s:
            s.sendall(b"GET /version.txt HTTP/1.0\r\n\r\n")
            failed += b"200" not in s.recv(200)
    except OSError:
        failed += 1
    time.sleep(0.02)
print(asked, failed)
P
docker run --rm --network "${1}_default" -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro \
    -v /tmp/plimsoll-test-client.py:/c.py:ro plimsoll-test/base:1 /usr/bin/python3 /c.py
rm -f /tmp/plimsoll-test-client.py
