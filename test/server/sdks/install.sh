#!/usr/bin/env bash
# Installs real SDKs for the tests of this folder, and builds the programs that use them: in .sdks at the top of the
# tree, and the caches of the tools. With names of SDKs as arguments, only those.
set -euo pipefail
programs="$(cd "$(dirname "$0")" && pwd)/programs"
installed="$(cd "$programs/../../../.." && pwd)/.sdks"

install_java() { build_with_maven java; }
install_kotlin() { build_with_maven kotlin; }

build_with_maven() {
  mvn -q -B -f "$programs/$1/pom.xml" dependency:copy-dependencies -DoutputDirectory="$installed/$1"
  javac -encoding UTF-8 -cp "$installed/$1/*" -d "$installed/$1" "$programs/$1/Sender.java"
}

install_go() {
  (cd "$programs/go" && go build -buildvcs=false -o "$installed/go/sender" .)
}

install_python() {
  python3 -m venv "$installed/python"
  "$installed/python/bin/pip" install -q --disable-pip-version-check -r "$programs/python/requirements.txt"
}

if [ $# -eq 0 ]; then set -- java kotlin go python; fi
for sdk in "$@"; do
  rm -rf "${installed:?}/$sdk"
  echo "Installing the $sdk SDK"
  "install_$sdk"
done
