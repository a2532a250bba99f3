{{/* The name in the names of objects: at most 45 characters, so that suffixes still fit into 63. */}}
{{- define "sailmark.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 45 | trimAll "-." -}}
{{- end }}

{{/* The name of the Service too, which begins with a letter and has no dots (RFC 1035), as names of releases may. */}}
{{- define "sailmark.fullname" -}}
{{- $name := include "sailmark.name" . | replace "." "-" -}}
{{- $release := replace "." "-" .Release.Name -}}
{{- $letter := regexMatch "^[a-z]" $release -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else if and (contains $name $release) $letter -}}
{{- $release | trunc 45 | trimSuffix "-" -}}
{{- else if $letter -}}
{{- printf "%s-%s" $release $name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (ternary $name "sailmark" (regexMatch "^[a-z]" $name)) $release | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "sailmark.serviceAccountName" -}}
{{- $made := ternary (include "sailmark.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $made .Values.serviceAccount.name -}}
{{- end }}

{{/* The selector of Deployment, Service and disruption budget. Never add to it: a selector cannot be changed. */}}
{{- define "sailmark.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sailmark.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: webhook
{{- end }}

{{- define "sailmark.releaseLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: sailmark
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/* The labels of the Service for metrics, and of what else is not the webhook. Call with (dict "root" $ "component" …). */}}
{{- define "sailmark.componentLabels" -}}
{{- $component := dict "app.kubernetes.io/component" .component -}}
{{- merge $component (include "sailmark.selectorLabels" .root | fromYaml) | toYaml -}}
{{- end }}

{{/* Labels and annotations of an object. Call with (dict "root" $ "component" … "labels" … "annotations" …); all but root are optional. */}}
{{- define "sailmark.meta" -}}
{{- $component := dict "root" .root "component" (default "webhook" .component) -}}
{{- $own := include "sailmark.componentLabels" $component | fromYaml -}}
{{- $own = merge $own (include "sailmark.releaseLabels" .root | fromYaml) -}}
labels:
  {{- merge $own (default dict .labels) (default dict .root.Values.commonLabels) | toYaml | nindent 2 }}
{{- with merge dict (default dict .annotations) (default dict .root.Values.commonAnnotations) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* global.imageRegistry takes the place of the registry, whichever it is, as in the charts that it comes from. */}}
{{- define "sailmark.image" -}}
{{- $repository := default "" .Values.image.repository -}}
{{- with (.Values.global).imageRegistry -}}
{{- $path := regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "" -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) $path -}}
{{- end -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ $repository }}@{{ .digest }}
{{- else -}}
{{ $repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The Secrets to pull images with, of all charts and of this one, each once: a YAML list, or nothing. */}}
{{- define "sailmark.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (default list (.Values.global).imagePullSecrets) (default list .Values.imagePullSecrets) -}}
{{- if kindIs "string" . -}}
{{- $secrets = append $secrets (dict "name" .) -}}
{{- else -}}
{{- $secrets = append $secrets (dict "name" .name) -}}
{{- end -}}
{{- end -}}
{{- with uniq $secrets }}{{ toYaml . }}{{ end -}}
{{- end }}

{{/* Seconds of a duration such as 1m30s, rounded up. */}}
{{- define "sailmark.seconds" -}}
{{- $text := toString . -}}
{{- $hours := regexFind "[0-9]+h" $text | trimSuffix "h" | default "0" | int -}}
{{- $minutes := regexFind "[0-9]+m($|[0-9])" $text | regexFind "[0-9]+" | default "0" | int -}}
{{- $seconds := regexFind "[0-9]+s" (regexReplaceAll "[0-9]+ms" $text "") | trimSuffix "s" | default "0" | int -}}
{{- $rest := regexFind "[0-9]+ms" $text | trimSuffix "ms" | default "0" | int -}}
{{- add (mul $hours 3600) (mul $minutes 60) $seconds (ternary 1 0 (gt $rest 0)) -}}
{{- end }}

{{- define "sailmark.host" -}}
{{- include "sailmark.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end }}

{{/* The host of webhook.url, an IPv6 address without its brackets; empty if there is no URL. */}}
{{- define "sailmark.urlHost" -}}
{{- with .Values.webhook.url }}{{ (urlParse .).hostname | trimPrefix "[" | trimSuffix "]" }}{{ end -}}
{{- end }}

{{/* The Secret that holds the serving certificate. */}}
{{- define "sailmark.certificateSecret" -}}
{{- if eq .Values.certificates.mode "provided" -}}
{{- .Values.certificates.provided.secret -}}
{{- else if eq .Values.certificates.mode "cert-manager" -}}
{{- include "sailmark.fullname" . }}-cert-manager
{{- else -}}
{{- include "sailmark.fullname" . }}-certificates
{{- end -}}
{{- end }}

{{/* Every namespace/name of the configuration's pull secrets, once, as a JSON list. */}}
{{- define "sailmark.pullSecrets" -}}
{{- $all := list -}}
{{- range (.Values.config).registries -}}
{{- with .credentials -}}
{{- $all = concat $all (default list .pullSecrets) -}}
{{- end -}}
{{- end -}}
{{- $all | uniq | sortAlpha | toJson -}}
{{- end }}

{{/* "true" if sailmark verifies the images of running pods before it is ready. */}}
{{- define "sailmark.warmsUp" -}}
{{- if gt (include "sailmark.seconds" .Values.kubernetes.warmUp | int) 0 }}true{{ end -}}
{{- end }}

{{/* "true" if sailmark uses the API of the cluster. */}}
{{- define "sailmark.asksApi" -}}
{{- $shares := eq .Values.evidence.write.kind "cluster" -}}
{{- $writes := or (eq .Values.certificates.mode "self") (include "sailmark.waits" .) .Values.kubernetes.events $shares -}}
{{- $reads := or .Values.scan.enabled (include "sailmark.warmsUp" .) (include "sailmark.pullSecrets" . | fromJsonArray) -}}
{{- if or $writes $reads }}true{{ end -}}
{{- end }}

{{/* The ConfigMaps in which replicas share evidence: the table of tags first. */}}
{{- define "sailmark.evidenceConfigMaps" -}}
{{- $names := list (printf "%s-evidence-tags" (include "sailmark.fullname" .)) -}}
{{- range until 4 -}}{{- $names = append $names (printf "%s-evidence-%d" (include "sailmark.fullname" $) .) -}}{{- end -}}
{{- toJson $names -}}
{{- end }}

{{/* The Service with probes and metrics. */}}
{{- define "sailmark.metricsService" -}}
{{- include "sailmark.fullname" . }}-metrics
{{- end }}
