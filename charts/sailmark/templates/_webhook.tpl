{{/* Names of the critical namespaces, which must come up without sailmark: a JSON list. What is excluded is none of them. */}}
{{- define "sailmark.criticalNamespaces" -}}
{{- $names := list .Release.Namespace -}}
{{- range .Values.criticalNamespaces }}{{ if not (has . $.Values.excludedNamespaces) }}{{ $names = append $names . }}{{ end }}{{ end -}}
{{- $names | uniq | sortAlpha | toJson -}}
{{- end }}

{{/* Names of the namespaces that no entry by label is for, the critical and the excluded ones: a JSON list. */}}
{{- define "sailmark.namedNamespaces" -}}
{{- concat (include "sailmark.criticalNamespaces" . | fromJsonArray) (default list .Values.excludedNamespaces) | uniq | sortAlpha | toJson -}}
{{- end }}

{{/* The values of the mode label that count beside the release's mode: a JSON list. */}}
{{- define "sailmark.otherModes" -}}
{{- $order := list "audit" "warn" "enforce" -}}
{{- $others := list -}}
{{- $below := true -}}
{{- range $order -}}
{{- if eq . $.Values.mode -}}
{{- $below = false -}}
{{- else if or (not $below) $.Values.modes.allowWeakerLabels -}}
{{- $others = append $others . -}}
{{- end -}}
{{- end -}}
{{- toJson $others -}}
{{- end }}

{{/*
The namespaces of one mode, as matchExpressions. Together with the critical namespaces, each namespace is in exactly one
entry: its label decides if it may, and otherwise the release's mode holds. NotIn is also true without the label.
Call with (dict "root" $ "mode" …).
*/}}
{{- define "sailmark.namespacesOf" -}}
{{- $others := include "sailmark.otherModes" .root | fromJsonArray -}}
{{- if or (eq .mode .root.Values.mode) (has .mode $others) -}}
- {key: kubernetes.io/metadata.name, operator: NotIn, values: {{ include "sailmark.namedNamespaces" .root }}}
{{- if has .mode $others }}
- {key: sailmark.dev/mode, operator: In, values: [{{ .mode }}]}
{{- else if $others }}
- {key: sailmark.dev/mode, operator: NotIn, values: {{ toJson $others }}}
{{- end }}
{{- else -}}
# Matches no namespace, because every namespace has this label. The entry stays, so that it already has its caBundle.
- {key: kubernetes.io/metadata.name, operator: DoesNotExist}
{{- end }}
{{- end }}

{{- define "sailmark.clientConfig" -}}
{{- with .root.Values.webhook.url -}}
url: {{ printf "%s%s" (trimSuffix "/" .) $.path | quote }}
{{- else -}}
{{- $root := .root -}}
{{- $port := $root.Values.service.port -}}
service: {name: {{ include "sailmark.fullname" $root | quote }}, namespace: {{ $root.Release.Namespace | quote }}, port: {{ $port }}, path: {{ .path }}}
{{- end }}
{{- with .root.Values.certificates }}
{{- if and (eq .mode "provided") .provided.caBundle }}
caBundle: {{ b64enc .provided.caBundle | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The namespaces whose pods are pinned, besides the critical ones: as matchExpressions.
*/}}
{{- define "sailmark.pinnedNamespaces" -}}
{{- if eq .Values.pin "always" -}}
- {key: kubernetes.io/metadata.name, operator: NotIn, values: {{ include "sailmark.namedNamespaces" . }}}
{{- else -}}
{{- include "sailmark.namespacesOf" (dict "root" . "mode" "enforce") -}}
{{- end -}}
{{- end }}

{{- define "sailmark.pinnedCriticalNamespaces" -}}
{{- if or (eq .Values.pin "always") (eq .Values.mode "enforce") -}}
- {key: kubernetes.io/metadata.name, operator: In, values: {{ include "sailmark.criticalNamespaces" . }}}
{{- else -}}
# Matches no namespace, because every namespace has this label. The entry stays, so that it already has its caBundle.
- {key: kubernetes.io/metadata.name, operator: DoesNotExist}
{{- end -}}
{{- end }}

{{/* The annotations of a webhook configuration: those of the values, and cert-manager's. */}}
{{- define "sailmark.webhookAnnotations" -}}
{{- $annotations := deepCopy (default dict .Values.webhook.annotations) -}}
{{- if eq .Values.certificates.mode "cert-manager" -}}
{{- $certificate := printf "%s/%s" .Release.Namespace (include "sailmark.fullname" .) -}}
{{- $_ := set $annotations "cert-manager.io/inject-ca-from" $certificate -}}
{{- end -}}
{{- toJson $annotations -}}
{{- end }}

{{/*
The name of the mutating configuration. The API server calls mutating webhooks in the order of these names, and Istio's
injectors must have added their containers before, whatever the release is called.
*/}}
{{- define "sailmark.pinName" -}}
zz-{{ include "sailmark.fullname" . }}
{{- end }}

{{/*
One entry. If it enforces and ignores failures, it has no match condition on content: an expression that is made to fail
skips such an entry, which would be a way around it.
An entry that pins may have one in enforce: the pod that it skips is refused, except in critical namespaces.
Call with (dict "root" $ "name" … "mode" … "path" … "failurePolicy" … "timeoutSeconds" … "namespaces" …); of an entry that
pins, "pins" true, and no mode except in critical namespaces.
*/}}
{{- define "sailmark.webhook" -}}
- name: {{ .name }}.sailmark.dev
  admissionReviewVersions: [v1]
  clientConfig:
    {{- include "sailmark.clientConfig" . | nindent 4 }}
  failurePolicy: {{ .failurePolicy }}
  timeoutSeconds: {{ .timeoutSeconds }}
  {{- if .pins }}
  sideEffects: None
  # Called again if a later webhook adds a container.
  reinvocationPolicy: IfNeeded
  {{- else }}
  # Events are written, except on a dry run.
  sideEffects: NoneOnDryRun
  {{- end }}
  matchPolicy: Equivalent
  namespaceSelector:
    matchExpressions:
      {{- .namespaces | nindent 6 }}
  objectSelector: {}
  {{- if not (and (eq .mode "enforce") (eq .failurePolicy "Ignore")) }}
  {{- with include "sailmark.matchConditions" .root | trim }}
  matchConditions:
    {{- . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- if and (not .pins) (include "sailmark.waits" .root) (has .name (include "sailmark.waitingEntries" . | fromJsonArray)) }}
  # No rules: the entry matches nothing until a replica is ready, which writes those of the annotation. Nothing else may
  # render this field, so that no upgrade, rollback or apply removes it.
  {{- else }}
  rules:
    {{- include "sailmark.rules" . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "sailmark.rules" -}}
- {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods], scope: Namespaced}
# The only way to add a container to a running pod; the object sent is the whole pod.
- {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [pods/ephemeralcontainers], scope: Namespaced}
{{- end }}

{{/* "true" if what can refuse waits for the first replica that is ready. */}}
{{- define "sailmark.waits" -}}
{{- if eq .Values.webhook.activation "automatic" }}true{{ end -}}
{{- end }}

{{/* The entries that can refuse, in this mode or another: a JSON list. */}}
{{- define "sailmark.waitingEntries" -}}
{{- toJson (list "critical" "enforce") -}}
{{- end }}

{{/* The annotations of the validating webhook configuration, with the rules of the entries that wait. */}}
{{- define "sailmark.validatingAnnotations" -}}
{{- $annotations := include "sailmark.webhookAnnotations" . | fromJson -}}
{{- if include "sailmark.waits" . -}}
{{- $rules := dict -}}
{{- range include "sailmark.waitingEntries" . | fromJsonArray -}}
{{- $_ := set $rules (printf "%s.sailmark.dev" .) (include "sailmark.rules" $ | fromYamlArray) -}}
{{- end -}}
{{- $_ := set $annotations "sailmark.dev/rules-when-ready" (toJson $rules) -}}
{{- end -}}
{{- toJson $annotations -}}
{{- end }}
