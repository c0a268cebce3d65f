// Asks an API: client JOB [NUMBER]. Reads SHOP_BASE_URL alone, and prints what came back as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

var base = os.Getenv("SHOP_BASE_URL")

func main() {
	number := int64(0)
	if len(os.Args) > 2 {
		number, _ = strconv.ParseInt(os.Args[2], 10, 64)
	}
	found := map[string]func(int64) map[string]any{"plain": plain, "many": many, "down": down, "up": up}[os.Args[1]](number)
	text, _ := json.Marshal(found)
	fmt.Println(string(text))
}

func plain(int64) map[string]any {
	got, err := http.Get(base + "/packages/7?view=short")
	must(err)
	got.Body.Close()
	made, err := http.Post(base+"/packages/list", "application/json", strings.NewReader(`{"take": 1}`))
	must(err)
	return map[string]any{"statuses": []int{got.StatusCode, made.StatusCode}, "received": received(made)}
}

func many(count int64) map[string]any {
	done := make(chan int)
	for each := int64(0); each < count; each++ {
		go func() {
			answer, err := http.Get(fmt.Sprintf("%s/gate/%d", base, count))
			must(err)
			answer.Body.Close()
			done <- answer.StatusCode
		}()
	}
	statuses := []int{}
	for each := int64(0); each < count; each++ {
		statuses = append(statuses, <-done)
	}
	return map[string]any{"statuses": statuses}
}

func down(size int64) map[string]any {
	answer, err := http.Get(fmt.Sprintf("%s/bytes/%d", base, size))
	must(err)
	checksum := crc32.NewIEEE()
	copied, err := io.Copy(checksum, answer.Body)
	must(err)
	return map[string]any{"size": copied, "checksum": checksum.Sum32()}
}

type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) { return len(buffer), nil }

func up(size int64) map[string]any {
	answer, err := http.Post(base+"/take", "application/octet-stream", io.LimitReader(zeros{}, size))
	must(err)
	return map[string]any{"size": received(answer)}
}

func received(answer *http.Response) int64 {
	var found struct{ Received int64 }
	must(json.NewDecoder(answer.Body).Decode(&found))
	return found.Received
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
