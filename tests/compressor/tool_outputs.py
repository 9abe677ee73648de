"""Tool outputs, written for these tests, that are to come out byte for byte."""

PROSE = (
    "The harbour committee met in March and talked for most of the afternoon about the budget. "
    "Engineers wanted further measurements near both lighthouses, while merchants complained about "
    "delayed shipments and rising costs. Nobody could say whether repairs would begin before the "
    "spring, and the chair asked everyone to be patient for a little while longer."
)

LEFT_ALONE = {
    "ls": """total 24
drwxr-xr-x  4 ana staff  128 Nov  2 10:11 src
-rw-r--r--  1 ana staff 2048 Nov  2 10:12 README.md
-rwxr-xr-x  1 ana staff  512 Oct 30 09:00 run.sh""",
    "tree": """├── docs
│   ├── index.md
│   └── guide.md
└── src
    └── main.py""",
    "find": """./src/main.py
./src/walk/tree.py
./tests/test_tree.py""",
    "git ls-files": """src/main.py
src/walk/tree.py
tests/data/trees.json""",
    "grep": """src/main.py:12:    walk(tree, 0)
src/walk/tree.py:40:def walk(node, depth):
tests/test_tree.py:7:    assert walk(tree, 0) == 3""",
    "git grep with context": """src/main.py-11-def main():
src/main.py:12:    walk(tree, 0)
src/main.py-13-    return 0""",
    "grep in files with dates": """2026-11-28-the-harbour.md:12:budget of the harbour
2026-11-29-the-budget.md:3:the whole of the budget""",
    "diff": """diff --git a/src/main.py b/src/main.py
index 3f2a..9c1b 100644
--- a/src/main.py
+++ b/src/main.py
@@ -10,4 +10,4 @@ def main():
-    walk(tree, 1)
+    walk(tree, 0)
     return 0""",
    "plain diff": """--- old/settings.ini
+++ new/settings.ini
@@ -1,3 +1,3 @@
 [server]
-port = 80
+port = 8080""",
    "python": """def walk(node, depth):
    if node is None:
        return depth
    return max(walk(child, depth + 1) for child in node.children)""",
    "javascript": """const walk = (node, depth) => {
  if (!node) { return depth; }
  return Math.max(...node.children.map((c) => walk(c, depth + 1)));
};""",
    "go": """func Walk(n *Node, depth int) int {
\tif n == nil {
\t\treturn depth
\t}
\treturn depth + 1
}""",
    "rust": """fn walk(node: &Node, depth: usize) -> usize {
    let mut deepest = depth;
    for child in &node.children { deepest = deepest.max(walk(child, depth + 1)); }
    deepest
}""",
    "python traceback": """Traceback (most recent call last):
  File "main.py", line 12, in <module>
    walk(tree, 0)
  File "tree.py", line 40, in walk
    return node.depth
AttributeError: 'NoneType' object has no attribute 'depth'""",
    "python traceback, chained": """Traceback (most recent call last):
  File "main.py", line 12, in <module>
    rows[key]
KeyError: 'paid'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "main.py", line 14, in <module>
    raise LookupError("nobody has paid for the boat yet") from None
LookupError: nobody has paid for the boat yet""",
    "java trace with its message": """Exception in thread "main" java.lang.Error: Pool was shut
\tat com.example.tree.Walker.walk(Walker.java:40)
\tat com.example.tree.Main.main(Main.java:12)
Caused by: java.io.IOException: the other side closed the connection
\t... 3 more""",
    "java trace with a message on two lines": """org.example.SQLException: ERROR: a duplicate key
  Detail: the key (id) of seven is there already.
\tat org.example.Query.run(Query.java:40)
\tSuppressed: java.io.IOException: the file was closed before that
\t\tat org.example.Query.close(Query.java:51)""",
    ".NET trace with its message": """Unhandled exception. System.Exception: nobody has paid
   at Harbour.Boat.Launch() in /src/Boat.cs:line 12
   --- End of inner exception stack trace ---
   at Harbour.Program.Main() in /src/Program.cs:line 3""",
    "javascript trace": """TypeError: Cannot read properties of undefined (reading 'map')
    at render (/app/src/List.jsx:14:22)
    at Object.<anonymous> (/app/index.js:3:1)""",
    "javascript trace, any message": """Trace: here the boat was launched
    at launch (/app/src/boat.js:14:22)""",
    "ruby trace": """boat.rb:3:in `launch': the boat has no oars (RuntimeError)
\tfrom boat.rb:7:in `run'
\tfrom boat.rb:11:in `<main>'""",
    "go panic": """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.process(0xc000012345, 0x3, 0x3)
\t/app/main.go:12 +0x1d
main.main()
\t/app/main.go:7 +0x3a

goroutine 18 [chan receive, 2 minutes]:
main.wait(...)
\t/app/wait.go:9
created by main.main in goroutine 1
\t/app/main.go:5 +0x2b
exit status 2""",
    "java trace": """    at com.example.tree.Walker.walk(Walker.java:40)
    at com.example.tree.Main.main(Main.java:12)
    ... 3 more""",
    "node trace": """    at walk (/app/src/tree.js:40:11)
    at Object.<anonymous> (/app/src/main.js:12:3)
    at node:internal/main/run_main_module:23:47""",
    "csv": """name,age,city,paid
Ana,31,Lisbon,yes
Bo,45,Oslo,no
Cy,28,Graz,yes""",
    "tsv": "name\tage\tcity\nAna\t31\tLisbon\nBo\t45\tOslo",
    "semicolons": """name;age;city
Ana;31;Lissabon
Bo;45;Oslo""",
    "psql": """ id |  name  | paid
----+--------+------
  1 | Ana    | t
  2 | Bo     | f
(2 rows)""",
    "mysql": """+----+------+------+
| id | name | paid |
+----+------+------+
|  1 | Ana  |    1 |
|  2 | Bo   |    0 |
+----+------+------+""",
    "markdown table": """| id | name | paid |
|----|------|------|
| 1 | Ana | yes |
| 2 | Bo | no |""",
    "sql": """SELECT name, count(*) AS visits
FROM people JOIN visits USING (person_id)
WHERE paid AND city <> 'Oslo'
GROUP BY name;""",
    "create table": """CREATE TABLE people (
    person_id bigint PRIMARY KEY,
    name text NOT NULL
);""",
    "html": """<table>
<tr><td>Ana</td><td>31</td></tr>
<tr><td>Bo</td><td>45</td></tr>
</table>""",
    "xml": """<?xml version="1.0"?>
<people>
  <person id="1"><name>Ana</name></person>
  <person id="2"><name>Bo</name></person>
</people>""",
    "json": '{"id": 7, "name": "Ana", "tags": ["a", "b"], "paid": true}',
    "json lines": '{"id": 7, "name": "Ana"}\n{"id": 8, "name": "Bo"}',
    "yaml in a fence": """```yaml
server:
  port: 8080
  hosts: [a, b]
```""",
    "kubernetes": """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: web
        image: nginx:1.25
        ports:
        - containerPort: 80""",
    "docker compose file": """services:
  web:
    image: "nginx:1.25"
    ports:
      - "8080:80"
    # only for the harbour
    environment:
      - MODE=quiet

volumes:
  data: {}""",
    "workflow": """on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Run the tests
        run: |
          echo "this may take a while, so be patient"
          make test""",
    "front matter": """---
title: The harbour
layout: page
draft: false
---""",
    "flat yaml": """name: web
port: 8080
host: example
verbose: true""",
    "ini": """[database]
url = postgres://db/main
pool_size = 5

; everything that is written down
[logging]
level = info""",
    "toml": """[[package]]
name = "harbour"

[package.options]
verbose = true""",
    "one line of html": (
        "<h1>The harbour</h1> <p>It was closed for the whole of the winter.</p> "
        '<a href="https://example.org/notes">all of the notes</a>'
    ),
    "one indented command": (
        "    kubectl get pods --namespace kube-system -o wide | grep -v Running | sort -k 4 -n"
    ),
    "one indented command without flags": "    pip install requests beautifulsoup4",
    "one indented statement": "    total = price * count",
    "shell": """$ make build
$ ./run.sh --port 8080 --quiet
$ echo done""",
    "includes": """#include <stdio.h>
int main(void) {
    printf("hello");
    return 0;
}""",
    "kubectl": """NAME                        READY   STATUS             RESTARTS      AGE
api-7d9f8b6c5-x2x4z         1/1     Running            0             3d2h
worker-5c4b7d9f8-abcde      0/1     CrashLoopBackOff   17 (2m ago)   62m
redis-0                     1/1     Running            0             12d""",
    "ps": """USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND
root           1  0.0  0.1 168372 11996 ?        Ss   Oct10   0:12 /sbin/init splash
www-data    1042 97.3  4.2 912312 345000 ?       R    09:12  42:01 php-fpm: pool www""",
    "invoice": """Pos  Description                          Qty   Unit price    Total
1    Hydraulic pump HP-220                 2    CHF 1'480.00  CHF 2'960.00
2    Seal kit, 40x62x10 mm NBR            12      € 14,90       € 178,80
3    Installation (on site, 3.5 h)         1     $1,050.00     $1,050.00""",
    "CSV with quoted fields": """id,name,comment,amount
1,"Smith, John","Never got the parcel, not even a reply",12.50
2,"O'Neil, Ann","The ""premium"" box wasn't closed",7
3,Li Wei,,1300.00""",
    "reStructuredText table": """=====  =====  ======
A      not A  A or B
=====  =====  ======
False  True   False
True   False  True
=====  =====  ======""",
    "Python error of several lines": """Traceback (most recent call last):
  File "/app/main.py", line 12, in <module>
    Settings()
pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings
database_url
  Field required [type=missing, input_value={}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.5/v/missing
port
  Input should be a valid integer, unable to parse string as an integer [type=int_parsing]""",
    "Python error with its SQL": """Traceback (most recent call last):
  File "/app/db.py", line 7, in run
    session.execute(statement)
sqlalchemy.exc.IntegrityError: (psycopg2.errors.NotNullViolation) null value in column "name"
DETAIL:  Failing row contains (4711, null).

[SQL: INSERT INTO users (id, name) VALUES (%(id)s, %(name)s)]
[parameters: {'id': 4711, 'name': None}]
(Background on this error at: https://sqlalche.me/e/20/gkpj)""",
    "Rust panic": """thread 'main' panicked at src/main.rs:42:18:
called `Result::unwrap()` on an `Err` value: Os { code: 2, message: "No such file" }
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/panicking.rs:665:5
   1: app::load_config
             at ./src/main.rs:42:18
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.""",
    "rustc": """error[E0502]: cannot borrow `v` as mutable because it is also borrowed as immutable
 --> src/main.rs:6:5
  |
4 |     let first = &v[0];
  |                  - immutable borrow occurs here
5 |
6 |     v.push(6);
  |     ^^^^^^^^^ mutable borrow occurs here""",
    "Java frames in common": """java.lang.IllegalStateException: the queue is closed
\tat com.shop.ImportJob.run(ImportJob.java:88)
Caused by: java.sql.SQLException: the value is null
\tat org.postgresql.Driver.run(Driver.java:26)
\t... 42 common frames omitted""",
    "shell session": """mysql> show all of the tables
127.0.0.1:6379> GET the cart
ana@host:~/project$ npm test
root@db-1:/etc# systemctl restart the postgres service
PS C:\\Users\\ana> Get-ChildItem and show it
>>> walk(tree, 0)""",
    ".env with export": """DATABASE_URL=postgres://app:s3cret@db.internal:5432/app
# the key is not for production
SECRET_KEY=abc def ghi
export NODE_ENV=production
DEBUG=False""",
    "Dockerfile": """FROM python:3.12-slim AS build
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
ENV PYTHONUNBUFFERED=1 \\
    PORT=8000
COPY . .

# not as root
USER nobody
CMD ["gunicorn", "-w", "4", "app:app"]""",
    "git log": """commit 3f9c2ab41d7e8f6a5b4c3d2e1f0a9b8c7d6e5f4a (HEAD -> main, tag: v2.3.1)
Merge: 1a2b3c4 5d6e7f8
Author: Dana Kim <dana@example.org>
Date:   Tue Oct 14 09:12:44 2025 +0200""",
    "lines with numbers": """     1\timport os
     2\t
     3\t# The order of these matters to all of the steps behind them
     4\tSTEPS = ["load", "clean"]
     5\tdef main():
     6\t    for step in STEPS:""",
    "class with docstrings": '''@dataclass
class Server:
    """A server with a host and a port, neither of which may be empty in the end."""

    host: str
    port: int = DEFAULT_PORT

    def url(self) -> str:
        """Return where it is, and nothing else."""
        return f"http://{self.host}:{self.port}"''',
    "module with docstring": '''"""Reads the settings of the application, which are not validated.

Nothing in this module should be imported by the workers.
"""

from __future__ import annotations

import os''',
    "reStructuredText code": """.. code-block:: python

   import server
   the_port = 8080

   server.run(port=the_port)""",
    "AsciiDoc code": """[source,bash]
----
sudo dpkg -i the package
tool init
----""",
    "AsciiDoc table": """|===
|Name |Value
|users |no more than 50
|===""",
    "crontab": """# m h dom mon dow command
0 3 * * * /usr/local/bin/backup.sh --full
*/15 * * * * curl -fsS https://hc.example/ping/abc
@reboot /opt/start.sh now""",
    "requirements": """fastapi==0.110.0
uvicorn[standard]>=0.29,<0.30
pydantic>=2
-e .
pytest; python_version >= "3.11\"""",
    "script of a page": """<script>
var total = 1;
if (total < 2) { alert("the total is small"); }
</script>""",
    "display maths": """$$
\\min_{x} \\frac{1}{2}\\|Ax - b\\|_2^2 + \\lambda \\|x\\|_1
$$""",
    "LaTeX environment": """\\begin{align}
a &= b + c \\\\
d &= e
\\end{align}""",
    "diffstat": """ src/client.py        | 12 ++++++------
 tests/test_client.py |  4 ++++
 2 files changed, 10 insertions(+), 6 deletions(-)""",
    "make": """all: main.o parser.o
\t$(CC) -o app the objects
clean:
\trm all of them""",
}
