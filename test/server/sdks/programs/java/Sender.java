import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.AliasMessage;
import com.segment.analytics.messages.GroupMessage;
import com.segment.analytics.messages.IdentifyMessage;
import com.segment.analytics.messages.Message;
import com.segment.analytics.messages.MessageBuilder;
import com.segment.analytics.messages.PageMessage;
import com.segment.analytics.messages.ScreenMessage;
import com.segment.analytics.messages.TrackMessage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Does with the Java SDK what it reads, line by line: see ../README.md. */
public class Sender {
  private static final String TEXT = "Größe 日本 😀 \u2028 </script> \"quoted\"";

  public static void main(String[] args) {
    try {
      run(args);
    } catch (Exception error) {
      error.printStackTrace();
      // Threads of the SDK would go on.
      System.exit(1);
    }
  }

  private static void run(String[] args) throws IOException {
    Analytics analytics = Analytics.builder(args[1]).endpoint(args[0]).callback(new Failures()).build();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.equals("values")) values().forEach(analytics::enqueue);
      else if (line.startsWith("track ")) analytics.enqueue(TrackMessage.builder(line.substring(6)).userId("u1"));
      else if (line.equals("flush")) analytics.flush();
      else throw new IllegalArgumentException("Unknown line: " + line);
    }
    analytics.shutdown();
  }

  private static List<MessageBuilder<?, ?>> values() {
    return List.of(
        TrackMessage.builder("Numbers").userId("u1").properties(numbers()),
        TrackMessage.builder(TEXT)
            .userId("u1")
            .messageId("java-old-1")
            .timestamp(Date.from(Instant.parse("2025-03-30T01:30:00.123456789Z")))
            .properties(Map.of("text", TEXT, "when", Date.from(Instant.parse("2025-03-30T01:30:00.5Z"))))
            .context(Map.of("ip", "203.0.113.77", "tenant", 1541815603606036480L))
            .enableIntegration("Mixpanel", true),
        IdentifyMessage.builder().userId("u1").traits(numbers()),
        GroupMessage.builder("g1").userId("u1").traits(Map.of("employees", 1.2345678E7)),
        PageMessage.builder("Home").anonymousId("a1").properties(Map.of("width", 1e-7)),
        ScreenMessage.builder("Main").anonymousId("a1").properties(Map.of("nested", List.of(numbers()))),
        AliasMessage.builder("a1").userId("u1"));
  }

  private static Map<String, Object> numbers() {
    Map<String, Object> numbers = new LinkedHashMap<>();
    numbers.put("snowflake", 1541815603606036480L);
    numbers.put("aboveSafe", 9007199254740993L);
    numbers.put("maxLong", Long.MAX_VALUE);
    numbers.put("maxUnsigned", new BigInteger("18446744073709551615"));
    numbers.put("tenMillions", 1.2345678E7);
    numbers.put("small", 1e-7);
    numbers.put("large", 1e21);
    numbers.put("negativeZero", -0.0);
    numbers.put("third", 1.0 / 3);
    numbers.put("float", 0.1f);
    numbers.put("decimal", new BigDecimal("12345678901234567890.123456789"));
    return numbers;
  }

  private static final class Failures implements Callback {
    @Override
    public void success(Message message) {}

    @Override
    public void failure(Message message, Throwable error) {
      System.out.println("error: " + error.getMessage());
    }
  }
}
