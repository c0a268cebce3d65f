import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Collections;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;

/** Asks an API: java Client.java JOB [NUMBER]. Reads SHOP_BASE_URL alone, and prints what came back as JSON. */
public class Client {
    static final String BASE = System.getenv("SHOP_BASE_URL");
    static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        long number = arguments.length > 1 ? Long.parseLong(arguments[1]) : 0;
        switch (arguments[0]) {
            case "plain" -> plain();
            case "many" -> many((int) number);
            case "down" -> down(number);
            case "up" -> up(number);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(BASE + path));
    }

    static void plain() throws Exception {
        var got = CLIENT.send(to("/packages/7?view=short").build(), BodyHandlers.ofString());
        var body = BodyPublishers.ofString("{\"take\": 1}");
        var made = CLIENT.send(to("/packages/list").POST(body).build(), BodyHandlers.ofString());
        var received = made.body().replaceAll(".*\"received\": (\\d+).*", "$1");
        System.out.printf("{\"statuses\": [%d, %d], \"received\": %s}%n", got.statusCode(), made.statusCode(), received);
    }

    static void many(int count) {
        var asked = IntStream.range(0, count)
            .mapToObj(each -> CLIENT.sendAsync(to("/gate/" + count).build(), BodyHandlers.ofString()))
            .toList();
        var statuses = asked.stream().map(CompletableFuture::join).map(one -> "" + one.statusCode());
        System.out.printf("{\"statuses\": [%s]}%n", statuses.collect(Collectors.joining(", ")));
    }

    static void down(long size) throws Exception {
        var checksum = new CRC32();
        long received = 0;
        var buffer = new byte[1 << 16];
        try (InputStream body = CLIENT.send(to("/bytes/" + size).build(), BodyHandlers.ofInputStream()).body()) {
            for (int read; (read = body.read(buffer)) > 0; received += read) {
                checksum.update(buffer, 0, read);
            }
        }
        System.out.printf("{\"size\": %d, \"checksum\": %d}%n", received, checksum.getValue());
    }

    static void up(long size) throws Exception {
        var pieces = Collections.nCopies((int) (size >> 20), new byte[1 << 20]);
        var answer = CLIENT.send(to("/take").POST(BodyPublishers.ofByteArrays(pieces)).build(), BodyHandlers.ofString());
        System.out.printf("{\"size\": %s}%n", answer.body().replaceAll(".*\"received\": (\\d+).*", "$1"));
    }
}
