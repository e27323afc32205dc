# Print where `make env` takes torch from; nothing for pip's own index, whose build has CUDA.
#   sh envs/torch_index.sh auto|cpu|cuda PYTHON [ROOT]
# The build for CPUs is some GB smaller. auto takes it on Linux where there is no NVIDIA driver, no
# AMD card, no batch system whose nodes may have either, and no index of one's own in pip's settings.
set -eu
wanted=$1 python=$2 root=${3:-}

can_use_a_gpu() {
  for file in /proc/driver/nvidia/version /dev/nvidiactl /dev/kfd /usr/lib/wsl/lib/libcuda.so.1; do
    [ ! -e "$root$file" ] || return 0
  done
  for program in nvidia-smi sbatch qsub bsub; do
    ! command -v "$program" >/dev/null 2>&1 || return 0
  done
  return 1
}

case $wanted in
cuda) exit 0 ;;
cpu) ;;
auto)
  [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || exit 0
  ! can_use_a_gpu || exit 0
  case $("$python" -m pip config list) in *index-url* | *no-index* | *find-links*) exit 0 ;; esac
  ;;
*)
  echo "TORCH=$wanted is neither auto nor cpu nor cuda" >&2
  exit 1
  ;;
esac
echo https://download.pytorch.org/whl/cpu
