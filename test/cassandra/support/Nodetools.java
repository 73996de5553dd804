import java.io.*;
import java.nio.charset.StandardCharsets;
import org.apache.cassandra.tools.INodeProbeFactory;
import org.apache.cassandra.tools.NodeProbe;
import org.apache.cassandra.tools.NodeTool;
import org.apache.cassandra.tools.Output;

/**
 * Runs nodetool as often as it is asked to, in one process: most of what a nodetool takes is the start of its JVM. On
 * standard input a call is the number of its words, and then these, a line each. The answer is a line with the number of
 * the call (from 0 on), the exit code, and how many bytes it printed; then these. Calls run side by side.
 */
class Nodetools {
	private static final INodeProbeFactory PROBES = new INodeProbeFactory() {
		public NodeProbe create(String host, int port) throws IOException {
			return new NodeProbe(host, port);
		}

		public NodeProbe create(String host, int port, String user, String password) throws IOException {
			return new NodeProbe(host, port, user, password);
		}
	};

	public static void main(String[] none) throws IOException {
		var calls = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		var answers = System.out;
		System.setOut(System.err);
		String count;
		for (int call = 0; (count = calls.readLine()) != null; call++) {
			var words = new String[Integer.parseInt(count)];
			for (int i = 0; i < words.length; i++) words[i] = calls.readLine();
			int number = call;
			new Thread(() -> run(number, words, answers)).start();
		}
	}

	private static void run(int number, String[] words, PrintStream answers) {
		var printed = new ByteArrayOutputStream();
		var out = new PrintStream(printed, true, StandardCharsets.UTF_8);
		int code;
		try {
			code = new NodeTool(PROBES, new Output(out, out)).execute(words);
		} catch (Throwable thrown) {
			thrown.printStackTrace(out);
			code = 2;
		}
		synchronized (answers) {
			answers.print(number + " " + code + " " + printed.size() + "\n");
			answers.write(printed.toByteArray(), 0, printed.size());
			answers.flush();
		}
	}
}
