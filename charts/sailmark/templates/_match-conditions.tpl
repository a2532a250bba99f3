{{/*
What the match condition looks for besides Istio's own names: hubs, mirrors and revoked digests of the configuration,
as one alternative each. It does the same as src/istio/match-pattern.ts: `sailmark match-conditions` prints what is
rendered here.
*/}}
{{- define "sailmark.morePattern" -}}
{{- $places := default list (.Values.config).hubs -}}
{{- range (.Values.config).mirrors }}{{ $places = append $places .mirror }}{{ end -}}
{{- $more := list -}}
{{- range $place := $places -}}
{{- $lower := lower $place -}}
{{- $path := regexReplaceAll "^(index\\.)?docker\\.io/" $lower "" -}}
{{- if contains "istio" $lower -}}
{{/* The pattern of Istio's own names matches it. */}}
{{- else if or (ne $path $lower) (not (regexMatch "^[^/]*[.:A-Z]|^localhost(/|$)" $place)) -}}
{{- $more = append $more (printf `(?:^\W*|docker\.io/)%s/` (regexQuoteMeta $path)) -}}
{{- else -}}
{{- $more = append $more (printf "%s/" (regexQuoteMeta $lower)) -}}
{{- end -}}
{{- end -}}
{{- range (.Values.config).revoked }}{{ $more = append $more (trunc 19 .digest) }}{{ end -}}
{{- range uniq $more }}|{{ . }}{{ end -}}
{{- end }}

{{/* The API server sends only pods with a new or changed image that could be Istio's. */}}
{{- define "sailmark.matchConditions" -}}
- name: new-or-changed-istio-image
  expression: |-
    {{- $more := include "sailmark.morePattern" . }}
    {{- .Files.Get "files/match-condition.cel" | trim | replace "<more>" $more | nindent 4 }}
{{- end }}
