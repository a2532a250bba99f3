// Command go-rules answers questions as Go programs decide them, one line of JSON for each line of JSON on its standard
// input: whether httpproxy connects directly, whether path.Match matches, and which credentials go-containerregistry's
// default keychain finds in the environment.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"net/url"
	"os"
	"path"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/net/http/httpproxy"
)

type question struct {
	NoProxy, URL, Glob, Label, Repository string
}

func isDirect(noProxy, text string) (bool, error) {
	target, err := url.Parse(text)
	if err != nil {
		return false, err
	}
	config := httpproxy.Config{HTTPProxy: "http://proxy", HTTPSProxy: "http://proxy", NoProxy: noProxy}
	proxy, err := config.ProxyFunc()(target)
	return proxy == nil, err
}

func credentials(text string) (any, error) {
	repository, err := name.NewRepository(text)
	if err != nil {
		return nil, err
	}
	found, err := authn.DefaultKeychain.Resolve(repository)
	if err != nil {
		return nil, err
	}
	config, err := found.Authorization()
	return struct{ Username, Password, IdentityToken, RegistryToken string }{
		config.Username, config.Password, config.IdentityToken, config.RegistryToken,
	}, err
}

func answer(asked question) (any, error) {
	switch {
	case asked.URL != "":
		return isDirect(asked.NoProxy, asked.URL)
	case asked.Repository != "":
		return credentials(asked.Repository)
	default:
		return path.Match(asked.Glob, asked.Label)
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		result, err := answer(asked)
		if err != nil {
			result = "error"
		}
		if err := output.Encode(result); err != nil {
			log.Fatal(err)
		}
	}
}
