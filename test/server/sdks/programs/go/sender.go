// Does with the Go SDK what it reads, line by line: see ../README.md.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"net"
	"os"
	"strings"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

const text = "Größe 日本 😀 \u2028 </script> \"quoted\""

func main() {
	client, err := analytics.NewWithConfig(os.Args[2], analytics.Config{
		Endpoint: os.Args[1],
		// It has no method to flush.
		Interval: 100 * time.Millisecond,
		Callback: failures{},
		Logger:   analytics.StdLogger(log.New(os.Stderr, "", 0)),
	})
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "values":
			for _, message := range values() {
				enqueue(client, message)
			}
		case strings.HasPrefix(line, "track "):
			enqueue(client, analytics.Track{UserId: "u1", Event: strings.TrimPrefix(line, "track ")})
		case line == "flush":
		default:
			log.Fatalf("Unknown line: %s", line)
		}
	}
	if err := client.Close(); err != nil {
		log.Fatal(err)
	}
}

func enqueue(client analytics.Client, message analytics.Message) {
	if err := client.Enqueue(message); err != nil {
		log.Fatal(err)
	}
}

func values() []analytics.Message {
	when := time.Date(2025, 3, 30, 3, 30, 0, 123456789, time.FixedZone("", 2*60*60))
	return []analytics.Message{
		analytics.Track{UserId: "u1", Event: "Numbers", Properties: numbers()},
		analytics.Track{
			UserId:     "u1",
			Event:      text,
			MessageId:  "go-old-1",
			Timestamp:  when,
			Properties: analytics.Properties{"text": text, "when": when},
			Context: &analytics.Context{
				IP:    net.ParseIP("203.0.113.77"),
				Extra: map[string]interface{}{"tenant": int64(1541815603606036480)},
			},
			Integrations: analytics.Integrations{"Mixpanel": true},
		},
		analytics.Identify{UserId: "u1", Traits: analytics.Traits(numbers())},
		analytics.Group{UserId: "u1", GroupId: "g1", Traits: analytics.Traits{"employees": 1.2345678e7}},
		analytics.Page{AnonymousId: "a1", Name: "Home", Properties: analytics.Properties{"width": 1e-7}},
		analytics.Screen{
			AnonymousId: "a1",
			Name:        "Main",
			Properties:  analytics.Properties{"nested": []interface{}{numbers()}},
		},
		analytics.Alias{UserId: "u1", PreviousId: "a1"},
	}
}

func numbers() analytics.Properties {
	return analytics.Properties{
		"snowflake":    int64(1541815603606036480),
		"aboveSafe":    int64(9007199254740993),
		"maxLong":      int64(math.MaxInt64),
		"maxUnsigned":  uint64(math.MaxUint64),
		"tenMillions":  1.2345678e7,
		"small":        1e-7,
		"large":        1e21,
		"negativeZero": math.Copysign(0, -1),
		"third":        1.0 / 3,
		"float":        float32(0.1),
		"decimal":      json.Number("12345678901234567890.123456789"),
	}
}

type failures struct{}

func (failures) Success(analytics.Message) {}

func (failures) Failure(_ analytics.Message, err error) {
	fmt.Println("error:", err)
}
