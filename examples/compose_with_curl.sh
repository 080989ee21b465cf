#!/bin/sh
# Compose a pipeline with curl: nothing but HTTP and JSON.
#
# The SDK token of `.pipeloom/env` is exchanged for an access token, which lives 15 minutes and goes into the header of every
# other request. A step is answered 206, still Pending; `?wait_for_completion=true` holds the next request until it is built.
#
#     set -a; . .pipeloom/env; set +a
#     sh examples/compose_with_curl.sh
#
# PYTHON names the Python that makes the repository of the step and reads one value out of JSON (.venv/bin/python).
set -eu
: "${PIPELOOM_URL:?load .pipeloom/env first: set -a; . .pipeloom/env; set +a}" "${CRAFT_AI_SDK_TOKEN:?}"
python=${PYTHON:-.venv/bin/python}
here=$(dirname "$0")
mark=$(date +%s)$$ # so that two runs never meet
step=predict-$mark
pipeline=churn-$mark

access_token=$(printf '{"refresh_token": "%s"}' "$CRAFT_AI_SDK_TOKEN" |
  curl -sS --fail-with-body "$PIPELOOM_URL/api/v1/auth/refresh" -H 'Content-Type: application/json' -d @- |
  "$python" -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')

# api METHOD ADDRESS [JSON]: print the answer; a refusal (4xx, 5xx) makes curl end with 22.
api() {
  curl -sS --fail-with-body --max-time 60 -X "$1" "$PIPELOOM_URL/api/v1$2" \
    -H "Authorization: Bearer $access_token" -H 'Content-Type: application/json' -w '\n' ${3:+-d "$3"}
}

repository=$("$python" "$here/step_repository.py")
clean_up() {
  api DELETE "/steps/$step?force_dependents_deletion=true" >/dev/null && echo "Deleted the step $step."
  rm -rf "$repository"
}
trap clean_up EXIT

echo "A step, Pending until the builder has checked its code:"
api POST /steps '{
  "step_name": "'"$step"'", "function_path": "src/churn.py", "function_name": "predict",
  "inputs": [{"name": "months", "data_type": "number", "is_required": true}],
  "outputs": [{"name": "risk", "data_type": "number"}],
  "container_config": {"repository_url": "'"$repository"'"}
}'
echo "The same step, once it is built:"
api GET "/steps/$step?wait_for_completion=true"

echo "A pipeline on it:"
api POST /pipelines '{"pipeline_name": "'"$pipeline"'", "step_names": ["'"$step"'"]}'
echo "The same again is refused:"
if api POST /pipelines '{"pipeline_name": "'"$pipeline"'", "step_names": ["'"$step"'"]}'; then
  echo "It was not refused." >&2
  exit 1
fi
echo "What its deletion answers:"
api DELETE "/pipelines/$pipeline"
