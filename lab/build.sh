#!/usr/bin/env bash
# The lab's models without Snakemake, stage by stage, for a GPU machine that has only Python:
#
#     bash lab/build.sh [SETTINGS [OUT [WORK]]]
#
# Drawing runs on the CPU beside the training of the autoencoder. Every stage keeps a checkpoint in
# WORK and goes on from it, so the same command continues after an interruption; seconds a stage
# took are in WORK/log/seconds. The same stages are rules in rules/lab.smk.
set -euo pipefail
cd "$(dirname "$0")/.."
settings=${1:-config/lab/full.yaml} out=${2:-lab} work=${3:-resources/lab}
python=${PYTHON:-python3} workers=${WORKERS:-$(nproc)}
base=$out/base
mkdir -p "$work/log" "$work/done"

setting() { # setting SECTION [KEY]: None where there is none
  "$python" -c "import functools, sys; sys.path.insert(0, 'scripts')
from kindred.lab.settings import LabSettings
print(functools.reduce(getattr, sys.argv[2:], LabSettings.load(sys.argv[1])))" "$settings" "$@"
}
stage() { # stage NAME COMMAND...: once, logged and timed
  local name=$1 start=$SECONDS
  shift
  [ -e "$work/done/$name" ] && return 0
  echo "lab: $name"
  "$@" >"$work/log/$name" 2>&1 || { tail -n 20 "$work/log/$name"; echo "lab: $name failed"; return 1; }
  echo "$name $((SECONDS - start))" | tee -a "$work/log/seconds"
  touch "$work/done/$name"
}
draw() { # draw PART SEED
  local people=()
  [ "$(setting corpus people)" = None ] || people=(--people "$(setting corpus people)")
  stage "draw-$1" "$python" scripts/lab_draw_shards.py --seed "$2" --count "$(setting corpus "$1")" \
    ${people[@]+"${people[@]}"} --workers "$workers" --out "$work/drawings-$1"
}
latents() { # latents PART
  stage "latents-$1" "$python" scripts/lab_encode.py --settings "$settings" --base "$base" \
    --corpus "$work/drawings-$1" --out "$work/latents-$1.safetensors"
}
judge() {
  stage judge "$python" scripts/lab_train_judge.py --identities "$work/identities" \
    --corpus "$work/drawings-first" --vae "$base/vae" --out "$out/judge" --work "$work/work" \
    --steps "$(setting judge steps)" --batch "$(setting judge batch)" \
    --general "$(setting judge general)" --vae-share "$(setting judge vae_share)" \
    --gates "$(setting judge gates)"
}
captioner() {
  stage captioner "$python" scripts/lab_train_captioner.py --corpus "$work/drawings-first" \
    --out "$out/captioner" --work "$work/work" --steps "$(setting captioner steps)" \
    --batch "$(setting captioner batch)" --images "$(setting captioner images)" \
    --width "$(setting captioner width)" --gates "$(setting captioner gates)"
}

judged=$(setting judge) captioned=$(setting captioner)
draw first 1
stage text "$python" scripts/lab_tokenizers.py --settings "$settings" --corpus "$work/drawings-first" \
  --out "$base"
draw rest 2 &
drawing=$!
stage vae "$python" scripts/lab_train_vae.py --settings "$settings" --corpus "$work/drawings-first" \
  --out "$base/vae" --work "$work/work"
latents first
wait $drawing
if [ "$judged" != None ]; then
  stage identities "$python" scripts/lab_identity_corpus.py --workers "$workers" \
    --identities "$(setting corpus identities)" --views "$(setting corpus views)" \
    --shard "$(setting corpus shard)" --out "$work/identities" &
  drawing=$!
fi
latents rest
stage base "$python" scripts/lab_train_base.py --settings "$settings" --base "$base" \
  --latents "$work/latents-first.safetensors" "$work/latents-rest.safetensors" --work "$work/work"
if [ "$judged" != None ]; then
  wait $drawing
  judge
fi
[ "$captioned" = None ] || captioner
echo "lab: finished; see $out"
