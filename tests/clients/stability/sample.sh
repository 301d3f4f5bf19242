# The vendor's curl samples, with only host and key changed: Bearer to begin with, the bare key for results.
set -eu
host=$1 key=$2 photo=$3 target=$4

curl -f -sS "$host/v2beta/stable-image/upscale/fast" \
  -H "authorization: Bearer $key" \
  -H "accept: image/*" \
  -F image=@"$photo" \
  -F output_format="webp" \
  -o "$target"

id=$(curl -f -sS "$host/v2beta/stable-image/upscale/creative" \
  -H "authorization: Bearer $key" \
  -F image=@"$photo" \
  -F prompt="a cup of coffee" | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')

curl -sS -o /dev/null -w '%{http_code}' "$host/v2beta/results/$id" -H "authorization: $key" -H "accept: image/*"
