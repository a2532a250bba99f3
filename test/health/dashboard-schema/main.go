// Command dashboard-schema decodes the Grafana dashboard on its standard input strictly, by the types that Grafana generates
// from the schema of its dashboards: an unknown member, a missing one or one of another type is an error. It prints the number
// of panels.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	log.SetFlags(0)
	plugins.RegisterDefaultPlugins()
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	var decoded dashboard.Dashboard
	for _, problem := range []error{decoded.UnmarshalJSONStrict(text), decoded.Validate()} {
		// An empty list of problems is not nil: it is a typed nil.
		if problem != nil && problem.Error() != "" {
			log.Fatal(problem)
		}
	}
	fmt.Println(len(decoded.Panels))
}
