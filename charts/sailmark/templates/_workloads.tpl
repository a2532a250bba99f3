{{/*
The entries that warn of workloads, whose pods would be refused or warned of. They never refuse, ignore failures and have
no side effects. In audit, and where it holds, nobody is told, so nothing is asked.
*/}}
{{- define "sailmark.workloadEntries" -}}
{{- if .Values.webhook.workloads -}}
{{- $noNamespace := "- {key: kubernetes.io/metadata.name, operator: DoesNotExist}" -}}
{{- $critical := printf "- {key: kubernetes.io/metadata.name, operator: In, values: %s}" (include "sailmark.criticalNamespaces" .) -}}
{{- include "sailmark.workloadEntry" (dict
    "root" .
    "name" "workloads-critical"
    "path" (printf "/workloads/critical/%s" .Values.mode)
    "namespaces" (ternary $noNamespace $critical (eq .Values.mode "audit"))) }}
{{ range list "enforce" "warn" -}}
{{- include "sailmark.workloadEntry" (dict
    "root" $
    "name" (printf "workloads-%s" .)
    "path" (printf "/workloads/%s" .)
    "namespaces" (include "sailmark.namespacesOf" (dict "root" $ "mode" .))) }}
{{ end -}}
{{- end -}}
{{- end }}

{{/* One of them. Call with (dict "root" $ "name" … "path" … "namespaces" …). */}}
{{- define "sailmark.workloadEntry" -}}
- name: {{ .name }}.sailmark.dev
  admissionReviewVersions: [v1]
  clientConfig:
    {{- include "sailmark.clientConfig" . | nindent 4 }}
  failurePolicy: Ignore
  timeoutSeconds: {{ .root.Values.webhook.workloadTimeoutSeconds }}
  sideEffects: None
  matchPolicy: Equivalent
  namespaceSelector:
    matchExpressions:
      {{- .namespaces | nindent 6 }}
  objectSelector: {}
  matchConditions:
    # Nobody reads a warning about what a controller makes: the Job of a CronJob, the Deployment of a Gateway.
    - name: not-made-by-a-controller
      expression: |-
        !has(object.metadata.ownerReferences) ||
        !object.metadata.ownerReferences.exists(owner, has(owner.controller) && owner.controller)
    {{- include "sailmark.workloadMatchConditions" .root | trim | nindent 4 }}
  rules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments, statefulsets, daemonsets], scope: Namespaced}
    - {apiGroups: [batch], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [jobs, cronjobs], scope: Namespaced}
{{- end }}

{{/* The match conditions for pods, of a workload's template: inside the lists of one, `object` and `oldObject` name it. */}}
{{- define "sailmark.workloadMatchConditions" -}}
{{- range include "sailmark.matchConditions" . | fromYamlArray }}
- name: {{ .name }}
  expression: |-
    [has(object.spec.jobTemplate) ? object.spec.jobTemplate.spec.template : object.spec.template].exists(object,
      [oldObject == null ? null :
        has(oldObject.spec.jobTemplate) ? oldObject.spec.jobTemplate.spec.template : oldObject.spec.template
      ].exists(oldObject,
    {{- .expression | nindent 4 }}
      ))
{{- end }}
{{- end }}
