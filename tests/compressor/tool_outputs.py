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
}
